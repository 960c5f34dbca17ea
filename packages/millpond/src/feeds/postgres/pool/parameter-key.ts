/** Parameters as part of a key: two lists have the same text only if PostgreSQL is sent the same. */
import { MOMENT } from '../sql/statement.ts'

/**
 * Each parameter with a mark of its kind and its length, so that no two lists read the same. `undefined` where one has no sure
 * text (objects with a form of their own), or means the moment (`'now'`).
 */
export function parameterKey(values: readonly unknown[]): string | undefined {
  let key = ''
  for (const value of values) {
    const one = keyOf(value)
    if (one === undefined) return undefined
    key += one
  }
  return key
}

/** What is sent as text is the same whatever it was made of; NULL and the rest are marked. */
function keyOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'null,'
  if (typeof value === 'string') return MOMENT.test(value) ? undefined : textKey(value)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return textKey(String(value))
  if (value instanceof Date) return `date ${value.getTime()},`
  if (ArrayBuffer.isView(value)) return bytesKey(value)
  if (!Array.isArray(value)) return undefined
  const items = parameterKey(value)
  return items === undefined ? undefined : `array ${textKey(items)}`
}

function textKey(text: string): string {
  return `${text.length}:${text},`
}

function bytesKey({ buffer, byteOffset, byteLength }: ArrayBufferView): string | undefined {
  const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  return MOMENT.test(bytes.toString('latin1')) ? undefined : `bytes ${textKey(bytes.toString('base64'))}`
}
