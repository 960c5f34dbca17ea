/** Values as JSON text: integers with all their digits, texts as UTF-8 or in base64. */
import { Failure, OK, type Value } from './value-reply.ts'

/** How texts are told. What is no UTF-8 loses its odd bytes in JSON, so whoever has such asks for base64. */
export type TextCoding = 'utf8' | 'base64'

export function jsonOf(value: Value, coding: TextCoding): string {
  if (typeof value === 'string') return textOf(value, coding)
  if (value === null) return 'null'
  if (value === OK) return '"OK"'
  if (value instanceof Failure) return textOf(value.text, coding)
  if (typeof value === 'object') return `[${value.map((part) => jsonOf(part, coding)).join(',')}]`
  return String(value)
}

/** One command's answer: `{"result":…}` or `{"error":…}`. */
export function resultOf(value: Value, coding: TextCoding): string {
  return value instanceof Failure ? `{"error":${textOf(value.text, 'utf8')}}` : `{"result":${jsonOf(value, coding)}}`
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
