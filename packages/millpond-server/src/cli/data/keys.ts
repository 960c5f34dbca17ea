/** What is done with single keys. Each returns the exit code. */
import { OptionError } from 'millpond'
import type { Service } from 'millpond/service'
import { EXIT } from '../exit-codes.ts'
import { durationText, print, printJson, remark } from '../print.ts'
import { withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'
import { millisecondsOf } from './durations.ts'

export interface SetFlags {
  ttl?: string
  if?: string
}

export interface KeysFlags {
  limit: number
}

export function get(key: string, flags: ReachFlags & { raw?: boolean }): Promise<number> {
  return withService(flags, async (service) => {
    const value = (await service.call(['GET', key], { asBytes: true })) as Buffer | null
    if (value === null) return absent(key, flags)
    if (flags.json) printJson({ key, ...shown(value) })
    else process.stdout.write(flags.raw ? value : Buffer.concat([value, Buffer.from('\n')]))
    return 0
  })
}

export async function set(key: string, value: string, flags: ReachFlags & SetFlags): Promise<number> {
  const given = value === '-' ? await input() : value
  const words = ['SET', key, given, ...expiryWords(flags.ttl), ...conditionWords(flags.if)]
  return await withService(flags, async (service) => {
    const stored = (await service.command(...words)) !== null
    if (flags.json) printJson({ key, stored })
    else if (!stored) remark(`not stored: the key is ${flags.if === 'absent' ? 'present' : 'absent'}`)
    return stored ? 0 : EXIT.ABSENT
  })
}

export function deleteKeys(keys: readonly string[], flags: ReachFlags): Promise<number> {
  return withService(flags, async (service) => {
    const deleted = (await service.command('UNLINK', ...keys)) as number
    if (flags.json) printJson({ deleted })
    else print(String(deleted))
    return deleted > 0 ? 0 : EXIT.ABSENT
  })
}

export function increment(key: string, by: string, flags: ReachFlags): Promise<number> {
  return withService(flags, async (service) => {
    // Beyond 2^53 it is a bigint, which JSON has as text.
    const value = (await service.command('INCRBY', key, by)) as number | bigint
    if (flags.json) printJson({ key, value: typeof value === 'number' ? value : String(value) })
    else print(String(value))
    return 0
  })
}

export function list(pattern: string, flags: ReachFlags & KeysFlags): Promise<number> {
  return withService(flags, async (service) => {
    const keys: string[] = []
    for await (const key of scan(service, pattern)) {
      if (keys.length === flags.limit) {
        remark(`there are more than ${flags.limit}: --limit shows them`)
        break
      }
      keys.push(key)
      if (!flags.json) print(key)
    }
    if (flags.json) printJson(keys)
    return 0
  })
}

/** Each key once, although SCAN may tell one twice. */
async function* scan(service: Service, pattern: string): AsyncGenerator<string> {
  const told = new Set<string>()
  for (let cursor = '0'; ; ) {
    const [next, keys] = (await service.command('SCAN', cursor, 'MATCH', pattern, 'COUNT', 500)) as [string, string[]]
    for (const key of keys) {
      if (told.has(key)) continue
      told.add(key)
      yield key
    }
    if (next === '0') return
    cursor = next
  }
}

export function ttl(key: string, duration: string | undefined, flags: ReachFlags): Promise<number> {
  return withService(flags, async (service) => {
    if (duration !== undefined) await change(service, key, duration)
    const left = (await service.command('PTTL', key)) as number
    if (left === -2) return absent(key, flags)
    if (flags.json) printJson({ key, ttlMs: left < 0 ? null : left })
    else print(durationText(left < 0 ? Number.POSITIVE_INFINITY : left))
    return 0
  })
}

async function change(service: Service, key: string, duration: string): Promise<void> {
  if (duration === 'forever') await service.command('PERSIST', key)
  else await service.command('PEXPIRE', key, millisecondsOf(duration, 'duration'))
}

function absent(key: string, { json }: ReachFlags): number {
  if (json) printJson({ key, absent: true })
  else remark(`there is no key ${JSON.stringify(key)}`)
  return EXIT.ABSENT
}

/** A value as JSON has it: text, where it is text. */
function shown(value: Buffer): object {
  const text = value.toString()
  return Buffer.from(text).equals(value) ? { value: text } : { valueBase64: value.toString('base64') }
}

function expiryWords(ttlText: string | undefined): string[] {
  return ttlText === undefined ? [] : ['PX', String(millisecondsOf(ttlText, 'ttl'))]
}

function conditionWords(state: string | undefined): string[] {
  if (state === undefined) return []
  if (state === 'absent') return ['NX']
  if (state === 'present') return ['XX']
  throw new OptionError('if', state, "give 'absent' or 'present'")
}

async function input(): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
