/** Parameters as part of a key: two lists have the same text only if PostgreSQL is sent the same. */
import { MOMENT } from '../sql/statement.ts'

/** `undefined` where a parameter has no sure text (objects with a form of their own), or means the moment (`'now'`). */
export function parameterKey(values: readonly unknown[]): readonly unknown[] | undefined {
  const keys: unknown[] = []
  for (const value of values) {
    const key = keyOf(value)
    if (key === undefined) return undefined
    keys.push(key)
  }
  return keys
}

/** A string for what is sent as text, null for NULL, and marked arrays for the rest. */
function keyOf(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return MOMENT.test(value) ? undefined : value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return ['date', value.getTime()]
  if (ArrayBuffer.isView(value)) return bytesKey(value)
  if (!Array.isArray(value)) return undefined
  const items = parameterKey(value)
  return items && ['array', ...items]
}

function bytesKey({ buffer, byteOffset, byteLength }: ArrayBufferView): unknown {
  const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  return MOMENT.test(bytes.toString('latin1')) ? undefined : ['bytes', bytes.toString('base64')]
}
