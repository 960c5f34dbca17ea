/** What XADD and XTRIM are told before the id: how much of a stream is kept. */
import type { Arguments } from '../../engine/arguments.ts'
import type { EncodingLimits } from '../../engine/encoding-limits.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Stream } from '../../engine/values/stream.ts'
import { formatId } from '../../engine/values/stream-id.ts'
import type { Trimming } from '../../engine/values/stream-trim.ts'
import { idOf } from './ids.ts'

/** Without a limit of its own `~` goes through this many blocks at most. */
const BLOCKS_MAX = 100
const LIMIT_MAX = 1_000_000
const LIMIT_WITHOUT_BLOCKS = 10_000

/** What was read. */
export interface TrimOptions {
  readonly trimming: Trimming | undefined
  /** Place of the word that says how much is kept. */
  readonly keepAt: number
  /** Whether XADD may make a stream. */
  readonly makes: boolean
  /** Place of the first word that is no option: of XADD the id. */
  readonly endAt: number
}

interface Reading {
  keep: Trimming['keep'] | undefined
  keepAt: number
  approximate: boolean
  limit: number | undefined
  makes: boolean
}

/** Reads options until the first word that is none, which only XADD may have. */
export function trimOptionsOf(args: Arguments, limits: EncodingLimits, adds: boolean): TrimOptions {
  const reading: Reading = { keep: undefined, keepAt: 0, approximate: false, limit: undefined, makes: true }
  let at = 2
  while (at < args.count) {
    const next = readOption(reading, args, at, adds)
    if (next === undefined) break
    at = next
  }
  if (at < args.count && !adds) throw syntaxError()
  const { keep, keepAt, makes } = reading
  if (reading.limit && keep === undefined) {
    throw new ReplyError('syntax error, LIMIT cannot be used without specifying a trimming strategy')
  }
  if (keep === undefined) {
    if (!adds) throw new ReplyError('syntax error, XTRIM must be called with a trimming strategy')
    return { trimming: undefined, keepAt, makes, endAt: at }
  }
  const { approximate } = reading
  return { trimming: { keep, approximate, limit: limitOf(reading, limits) }, keepAt, makes, endAt: at }
}

/** The words of a command with what was left written in place of what was asked for: others, who do the same, have other blocks. */
export function withExactTrimming(words: string[], { trimming, keepAt }: TrimOptions, stream: Stream): string[] {
  if (!trimming?.approximate) return words
  words[keepAt - 1] = '='
  const { keep } = trimming
  if (typeof keep === 'number') words[keepAt] = String(stream.size)
  else words[keepAt] = formatId(stream.size > 0 ? stream.firstId : keep)
  const limitAt = words.findIndex((word, at) => at >= 2 && at < keepAt + 3 && word.toLowerCase() === 'limit')
  if (limitAt >= 0) words.splice(limitAt, 2)
  return words
}

/** Reads one option, and returns the place behind it. */
function readOption(reading: Reading, args: Arguments, at: number, adds: boolean): number | undefined {
  const more = args.count - at - 1
  if (more > 0 && (args.is(at, 'maxlen') || args.is(at, 'minid'))) return readKeep(reading, args, at, more)
  if (more > 0 && args.is(at, 'limit')) {
    reading.limit = args.integer(at + 1)
    if (reading.limit < 0) throw new ReplyError('The LIMIT argument must be >= 0.')
    return at + 2
  }
  if (!adds || !args.is(at, 'nomkstream')) return undefined
  reading.makes = false
  return at + 1
}

function readKeep(reading: Reading, args: Arguments, at: number, more: number): number {
  if (reading.keep !== undefined) {
    throw new ReplyError('syntax error, MAXLEN and MINID options at the same time are not compatible')
  }
  const sign = more > 1 ? args.text(at + 1) : ''
  reading.approximate = sign === '~'
  reading.keepAt = sign === '~' || sign === '=' ? at + 2 : at + 1
  if (args.is(at, 'minid')) reading.keep = idOf(args, reading.keepAt)
  else {
    const keep = args.integer(reading.keepAt)
    if (keep < 0) throw new ReplyError('The MAXLEN argument must be >= 0.')
    reading.keep = keep
  }
  return reading.keepAt + 1
}

function limitOf({ approximate, limit }: Reading, { streamNodeMaxEntries }: EncodingLimits): number {
  if (limit !== undefined) {
    if (!approximate) throw new ReplyError('syntax error, LIMIT cannot be used without the special ~ option')
    return limit
  }
  if (!approximate) return 0
  return Math.min(LIMIT_MAX, streamNodeMaxEntries * BLOCKS_MAX || LIMIT_WITHOUT_BLOCKS)
}
