/** Commands as Upstash's REST clients write them: in the path, or as JSON. */
import { Problem } from './problem.ts'
import { decodePart, type Target } from './url-parts.ts'

/** A command: byte strings, and a body as it came. */
export type Words = readonly (string | Uint8Array)[]

const TOKENS = new Set(['token', '_token'])

/** `/set/key/value?EX=100`: what was sent is the last word before the parameters. */
export function wordsOfPath(target: Target, body: Uint8Array | undefined): Words {
  const words: (string | Uint8Array)[] = target.path.slice(1).split('/').map(decodePart)
  if (body !== undefined && body.length > 0) words.push(body)
  for (const [name, value] of target.parameters) {
    if (TOKENS.has(name)) continue
    words.push(name)
    if (value !== undefined) words.push(value)
  }
  return words
}

/** `["SET", "key", "value", "EX", 100]` @throws Problem */
export function wordsOfJson(json: unknown): Words {
  if (!Array.isArray(json) || json.length === 0) throw malformed('a command is a list of its words')
  return json.map(wordOf)
}

/** A list of commands. @throws Problem */
export function commandsOfJson(json: unknown): readonly Words[] {
  if (!Array.isArray(json) || json.length === 0)
    throw malformed('what is sent is a list of commands, each a list of its words')
  return json.map(wordsOfJson)
}

/** @throws Problem */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    throw malformed('what was sent is no JSON')
  }
}

function wordOf(word: unknown): string {
  if (typeof word === 'string') return bytesOf(word)
  if (typeof word === 'boolean') return String(word)
  if (typeof word !== 'number') throw malformed('words are texts, numbers or booleans')
  if (!Number.isFinite(word) || (Number.isInteger(word) && !Number.isSafeInteger(word))) {
    throw malformed('numbers of more than 53 bits lose digits in JSON: give them as texts')
  }
  return String(word)
}

/** Texts of one byte a character need not be encoded. */
const PLAIN = /^[\0-\x7f]*$/

function bytesOf(text: string): string {
  return PLAIN.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function malformed(why: string): Problem {
  return new Problem('ERR', why)
}
