/** The line of a meta command: its key, its flags, and what is sent back of both. */
import type { Exchange } from './exchange.ts'
import { MetaFlags } from './meta-flags.ts'
import { BAD_FORMAT } from './text-command.ts'

/** More words than this are too many flags. */
const WORDS_MAX = 19

/** Filled for each command. */
export const FLAGS: MetaFlags = new MetaFlags()

/** Reads the flags from a word on, and aims at the key. Returns what is wrong, if anything is. */
export function readFlags(exchange: Exchange, first: number): string | undefined {
  const { words, client, key } = exchange
  const wrong = FLAGS.read(words, first, client.service.time.nowMs)
  if (wrong !== undefined) return wrong
  exchange.quiet = FLAGS.quiet
  if (!FLAGS.keyIsBinary) return undefined
  key.bytes = FLAGS.keyBytes
  key.start = 0
  key.end = FLAGS.keyLength
  return undefined
}

/** What every meta command asks before its flags. */
export function checkLine(exchange: Exchange, tooMany: string): string | undefined {
  if (!exchange.aim(1)) return BAD_FORMAT
  return exchange.words.count > WORDS_MAX ? `CLIENT_ERROR options flags ${tooMany}too long` : undefined
}

/** Sends the key back, in base64 if it is binary. */
export function writeKey({ writer, key }: Exchange, isBinary: boolean): void {
  writer.text(' k')
  if (!isBinary) writer.part(key.bytes, key.start, key.end)
  else writer.text(`${key.bytes.toString('base64', key.start, key.end)} b`)
}

/** Sends a word back as it came: an opaque token. */
export function writeWord({ writer, words }: Exchange, at: number): void {
  writer.text(' ')
  writer.part(words.bytes, words.start(at), words.end(at))
}

/** Sends back what answers without an item send: opaque token and key. */
export function writeEchoes(exchange: Exchange, first: number): void {
  const { words } = exchange
  for (let at = first; at < words.count; at++) {
    const letter = words.first(at)
    if (letter === LETTER_O) writeWord(exchange, at)
    else if (letter === LETTER_K) writeKey(exchange, FLAGS.keyIsBinary)
  }
}

const LETTER_O = 79
const LETTER_K = 107
export const OPAQUE_TOO_LONG = 'CLIENT_ERROR opaque token too long'
