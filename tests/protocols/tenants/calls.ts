/** Calls of every command of the table, aimed at keys, channels and names that are somebody's. */
import { createHash } from 'node:crypto'
import type { CommandEntry } from '../../../packages/millpond-server/src/commands/command-table.ts'
import type { Random } from '../redis/random.ts'
import { argumentsOf } from './syntax.ts'

/** What an attacker knows the names of. */
export interface Aim {
  readonly keys: readonly string[]
  readonly channels: readonly string[]
}

/** Of every cache. */
export const SCRIPT = 'return 1'

const SCRIPTS = [
  SCRIPT,
  "return redis.call('GET', 'known:string')",
  "return redis.call('KEYS', '*')",
  "return redis.call('SCAN', '0', 'COUNT', '1000')",
  "return redis.call('HGETALL', 'known:hash')",
  "return redis.call('SET', 'known:string', 'changed')",
  "return redis.pcall('FLUSHALL')",
  "return redis.call('SORT', KEYS[1] or 'known:list', 'BY', 'nosort', 'GET', 'known:*')",
]
const FUNCTION =
  "#!lua name=intruder\nredis.register_function('steal', function() return redis.call('GET', 'known:string') end)"

/** What fits where a word of a syntax stands. Without: see `ofWord`. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  arg: ['GET', 'known:string', '0'],
  bit: ['0', '1'],
  cache: ['bank', 'shop', 'default'],
  category: ['read'],
  command: ['get', 'keys', 'config|get'],
  'command-name': ['get', 'keys'],
  consumer: ['reader'],
  consumername: ['reader'],
  cursor: ['0'],
  db: ['0', '1'],
  'destination-db': ['0', '1'],
  encoding: ['u8', 'i16'],
  endpoint: ['a:1'],
  field: ['field', 'other'],
  function: ['show', 'steal'],
  'function-code': [FUNCTION],
  group: ['readers'],
  groupname: ['readers', 'more'],
  host: ['127.0.0.1'],
  ID: ['0', '0-1', '1-1', '>'],
  'last-id': ['5-5'],
  'library-name': ['library', 'intruder'],
  'library-name-pattern': ['*'],
  max: ['+', '+inf', '(9', '9'],
  message: ['message'],
  min: ['-', '-inf', '0'],
  name: ['bank', 'shop', 'more', 'bank-app'],
  'name-or-id': ['bank-app', 'app'],
  page: ['0'],
  parameter: ['maxmemory', '*', 'requirepass'],
  pattern: ['*', 'known:*', '__key*__:*'],
  port: ['1'],
  prefix: ['', 'known:'],
  protover: ['2', '3'],
  rule: ['+@all', '~*', 'on', 'nopass'],
  scope: ['keys:readwrite'],
  script: SCRIPTS,
  section: ['server', 'clients', 'keyspace', 'everything'],
  'serialized-value': ['\x00\x05value\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00'],
  sha1: [createHash('sha1').update(SCRIPT).digest('hex')],
  event: ['command'],
  subcommand: ['OBJECT', 'DIGEST', 'RELOAD', 'JMAP', 'SLEEP'],
  timeout: ['0.01', '1'],
  type: ['string', 'hash'],
  username: ['default', 'bank-user'],
  password: ['guess'],
  'client-id': ['1', '2', '3', '4', '5', '6', '7', '8'],
}
const KEYS = /^(?:key[12]?|destination|source|newkey|destkey|sourcekey|dst|src|tag)$/
const CHANNELS = /^(?:channel|shardchannel|topic)$/
const TIMES = /^(?:milliseconds|ms|ttl|min-idle-time|numreplicas|seconds)$/
const MOMENTS = /unix/

/** A call of a command: its words. */
export function callOf({ command, parent }: CommandEntry, random: Random, aim: Aim): string[] {
  const name = parent ? [parent.command.name, command.name] : [command.name]
  // Without a syntax: some words, all the same.
  const syntax = command.syntax ?? ' [key] '.repeat(Math.max(0, Math.abs(command.arity) - name.length))
  return [...name, ...argumentsOf(syntax, random, (word) => ofWord(word, random, aim))]
}

function ofWord(word: string, random: Random, aim: Aim): string {
  const choices = CHOICES[word]
  if (choices) return random.pick(choices)
  if (KEYS.test(word)) return random.pick(aim.keys)
  if (CHANNELS.test(word)) return random.pick(aim.channels)
  if (MOMENTS.test(word)) return word.includes('milli') ? '4000000000000' : '4000000000'
  if (TIMES.test(word)) return '20'
  if (/^(?:element|member\d?|value|pivot)$/.test(word)) return random.pick(['a', 'b', '1', 'field'])
  return random.pick(['0', '1', '2'])
}
