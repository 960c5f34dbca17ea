/** Reading several streams: what XREAD and XREADGROUP are told, and how they answer. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import { millisecondsOf } from '../timeouts.ts'

/** What both are told. */
export interface ReadOptions {
  /** Most entries of each stream. */
  readonly count: number
  /** How long to wait; `undefined`: not at all. */
  readonly timeoutMs: number | undefined
  readonly group: string | undefined
  readonly consumer: string | undefined
  readonly acknowledges: boolean
  /** Place of the first key. */
  readonly keysAt: number
  /** How many keys; as many ids follow. */
  readonly keys: number
}

/** What was found in one stream. */
export interface StreamAnswer {
  readonly key: string
  readonly reply: () => void
}

/** Reads all options. */
export function readOptionsOf(client: Client, args: Arguments, ofGroup: boolean): ReadOptions {
  let count = 0
  let timeoutMs: number | undefined
  let group: string | undefined
  let consumer: string | undefined
  let acknowledges = false
  let keysAt = 0
  for (let at = 1; at < args.count && keysAt === 0; at++) {
    const more = args.count - at - 1
    if (args.is(at, 'block') && more > 0) timeoutMs = millisecondsOf(args, ++at)
    else if (args.is(at, 'count') && more > 0) count = Math.max(0, args.integer(++at))
    else if (args.is(at, 'streams') && more > 0) keysAt = at + 1
    else if (args.is(at, 'group') && more > 1) {
      if (!ofGroup) throw onlyForGroups('GROUP')
      group = args.text(++at)
      consumer = args.text(++at)
    } else if (args.is(at, 'noack')) {
      if (!ofGroup) throw onlyForGroups('NOACK')
      acknowledges = true
    } else throw syntaxError()
  }
  const words = args.count - keysAt
  if (keysAt > 0 && words % 2 === 1) {
    throw new ReplyError("Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.")
  }
  if (keysAt === 0) throw syntaxError()
  if (timeoutMs !== undefined && client.isScript) {
    throw new ReplyError(`${ofGroup ? 'xreadgroup' : 'xread'} command is not allowed with BLOCK option from scripts`)
  }
  if (ofGroup && group === undefined) throw new ReplyError('Missing GROUP option for XREADGROUP')
  return { count: count || Infinity, timeoutMs, group, consumer, acknowledges, keysAt, keys: words / 2 }
}

/** Places of the keys, for who asks for them without running the command. */
export function keysOf(args: Arguments): number[] {
  for (let at = 1; at < args.count; at++) {
    if (args.is(at, 'streams')) {
      const keys = Math.floor((args.count - at - 1) / 2)
      return Array.from({ length: keys }, (_, place) => at + 1 + place)
    }
    // What an option is told may be called as the next one is.
    if (args.is(at, 'group')) at += 2
    else if (args.is(at, 'block') || args.is(at, 'count')) at++
  }
  return []
}

/** Answers with what was found: a map in RESP3, a list of pairs in RESP2. */
export function replyStreams(client: Client, answers: readonly StreamAnswer[], reply: Reply): void {
  const isMap = client.protocol === 3
  if (isMap) reply.map(answers.length)
  else reply.array(answers.length)
  for (const answer of answers) {
    if (!isMap) reply.array(2)
    reply.bulk(answer.key)
    answer.reply()
  }
}

/** Waits for the streams, or answers that there is nothing. `ids` are put in place of what was given, which may mean another id later. */
export function waitForStreams(
  client: Client,
  args: Arguments,
  { timeoutMs, keysAt, keys }: ReadOptions,
  ids: readonly string[],
  reply: Reply,
): void {
  if (timeoutMs === undefined) {
    reply.nilArray()
    return
  }
  const words = [...args.texts(0, keysAt + keys), ...ids]
  const spans = Array.from({ length: keys }, (_, at) => args.span(keysAt + at))
  client.block(spans, timeoutMs, words)
}

function onlyForGroups(option: string): ReplyError {
  return new ReplyError(`The ${option} option is only supported by XREADGROUP. You called XREAD instead.`)
}
