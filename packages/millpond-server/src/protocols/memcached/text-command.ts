/** A command of the text protocol as data: what dispatch and the reference page are derived from. */
import type { Exchange, Served } from './exchange.ts'

export interface TextCommand {
  readonly name: string
  /** Of its words, for the reference. */
  readonly syntax: string
  /** The Redis command with the same effect, by which it is allowed, counted, logged and told; '': none. */
  readonly as: string
  readonly summary: string
  /** How many words it has, with its name. Others are no command at all: `ERROR`. */
  readonly words: readonly [least: number, most: number]
  run(exchange: Exchange): Served
}

/** Any number of words. */
export const MANY: number = Number.POSITIVE_INFINITY

/** What the quiet word at the end of a command is. */
export const NOREPLY = 'noreply'

/** Notes whether the last word says that no answer is wanted. */
export function readNoreply(exchange: Exchange): void {
  const { words } = exchange
  exchange.quiet = words.is(words.count - 1, NOREPLY)
}

export const BAD_FORMAT = 'CLIENT_ERROR bad command line format'
export const TOO_LARGE = 'SERVER_ERROR object too large for cache'
export const OUT_OF_MEMORY = 'SERVER_ERROR out of memory storing object'
export const NOT_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value'
