/**
 * What has to be compared and changed in one step, as scripts that the server runs: by their hash, and whole where the
 * server does not know them yet (it forgets them when it restarts). Each touches one key.
 */
import { createHash } from 'node:crypto'
import { StoreError } from '../../core/errors.ts'
import { FOREIGN } from '../stored-text.ts'
import type { Connection } from './connection.ts'

/** A script with the hash by which the server knows it. */
interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * Fills a key that still has a mark: mark, text, and a life in milliseconds or `''`. Of the old text only the head is
 * read: the mark, or, where it was somebody else's, whether it still is. A fence that is filled into does not end
 * sooner, so the key stands for as long as it would have; one that was for ever, for a day, which no fence outlasts.
 */
export const FILL: Script = script(`
if redis.call('GETRANGE', KEYS[1], 2, 17) ~= ARGV[1] then
  if ARGV[1] ~= '${FOREIGN}' then return 0 end
  local head = redis.call('GETRANGE', KEYS[1], 0, 17)
  if #head == 18 and string.find(head, '^%d%a[%w_-]+$') then return 0 end
end
if ARGV[3] == '' then return redis.call('SET', KEYS[1], ARGV[2]) end
local left = redis.call('PTTL', KEYS[1])
if left == -1 then left = 86400000 end
return redis.call('SET', KEYS[1], ARGV[2], 'PX', left > tonumber(ARGV[3]) and left or ARGV[3])`)

/** Takes or renews a lease: holder, life in milliseconds. */
export const LEASE: Script = script(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`)

/** Gives a lease back: holder. */
export const RELEASE: Script = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)

/** Lets a tag's version live on that is still the one that was read: version, life in milliseconds. */
export const RENEW: Script = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)

/** Runs a script on one key. Returns whether it did what it is for: otherwise it answers 0. */
export async function run(connection: Connection, script: Script, key: string, args: string[]): Promise<boolean> {
  const answer = connection.send(['evalsha', script.sha, '1', key, ...args], key).catch((error: unknown) => {
    if (!isUnknown(error)) throw error
    return connection.send(['eval', script.text, '1', key, ...args], key)
  })
  return Number(await answer) !== 0
}

function script(lines: string): Script {
  const text = lines.trim()
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

function isUnknown(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof Error && error.cause.message.startsWith('NOSCRIPT')
}
