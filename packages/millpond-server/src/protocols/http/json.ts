/** Values as JSON text, in the types of RESP2: integers with all their digits, texts as UTF-8 or in base64. */
import { Failure, OK, Pairs, type Value } from './value-reply.ts'

/** How texts are told. What is no UTF-8 loses its odd bytes in JSON, so whoever has such asks for base64. */
export type TextCoding = 'utf8' | 'base64'

export function jsonOf(value: Value, coding: TextCoding): string {
  if (typeof value === 'string') return textOf(value, coding)
  if (value === null) return 'null'
  if (value === OK) return '"OK"'
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (value instanceof Failure) return textOf(value.text, coding)
  if (value instanceof Pairs) return jsonOf(value.parts, coding)
  if (typeof value === 'object') return `[${value.map((part) => jsonOf(part, coding)).join(',')}]`
  return String(value)
}

/** One command's answer: `{"result":…}` or `{"error":…}`. */
export function resultOf(value: Value, coding: TextCoding): string {
  return value instanceof Failure ? `{"error":${textOf(value.text, 'utf8')}}` : `{"result":${jsonOf(value, coding)}}`
}

/** A value as what JSON.stringify takes: maps are objects. */
export function plainOf(value: Value): unknown {
  if (typeof value === 'string') return utf8Of(value)
  if (typeof value === 'bigint') return Number(value)
  if (value === OK) return 'OK'
  if (value instanceof Failure) return value.text
  if (value instanceof Pairs) return Object.fromEntries(pairsOf(value.parts.map(plainOf)))
  return Array.isArray(value) ? value.map(plainOf) : value
}

function pairsOf(parts: readonly unknown[]): [string, unknown][] {
  return Array.from({ length: parts.length / 2 }, (_, at) => [String(parts[at * 2]), parts[at * 2 + 1]])
}

/** Texts that stand in JSON as they are. */
const PLAIN = /^[ !#-[\]-~]*$/

function textOf(text: string, coding: TextCoding): string {
  if (coding === 'base64') return `"${Buffer.from(text, 'latin1').toString('base64')}"`
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(utf8Of(text))
}

/** A byte string as the text that its bytes are. */
export function utf8Of(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A byte string as the text that its bytes are, if they are one. */
export function strictUtf8Of(text: string): string | undefined {
  try {
    return decoder.decode(Buffer.from(text, 'latin1'))
  } catch {
    return undefined
  }
}
