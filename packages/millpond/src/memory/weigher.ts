/**
 * An estimate of the bytes that an entry takes on the heap: cheap, and right within about a factor of two for strings,
 * bytes, arrays and plain objects. Looks at no more than the first `ITEMS_MAX` items of a collection and reckons the rest to be alike,
 * so the cost does not grow with the value.
 */
export function estimateBytes(key: string, value: unknown): number {
  return ENTRY_BYTES + textBytes(key) + valueBytes(value, DEPTH_MAX)
}

/** What the table itself spends on an entry. */
const ENTRY_BYTES = 64
const DEPTH_MAX = 6
const ITEMS_MAX = 16

function valueBytes(value: unknown, depth: number): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value === 'bigint') return 24
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return 96 + value.byteLength
  if (value instanceof ArrayBuffer) return 96 + value.byteLength
  if (depth === 0) return 64
  if (Array.isArray(value)) return 32 + value.length * 8 + sampled(value, value.length, depth)
  if (value instanceof Map) return 64 + value.size * 32 + sampled(value.entries(), value.size, depth)
  if (value instanceof Set) return 64 + value.size * 24 + sampled(value.values(), value.size, depth)
  const fields = Object.values(value)
  return 32 + fields.length * 8 + sampled(fields, fields.length, depth)
}

/** Weight of the items of a collection beyond the references to them: the first ones, times what share of all they are. */
function sampled(items: Iterable<unknown>, count: number, depth: number): number {
  let seen = 0
  let bytes = 0
  for (const item of items) {
    if (seen === ITEMS_MAX) break
    seen++
    if (typeof item === 'string' || (typeof item === 'object' && item !== null)) bytes += valueBytes(item, depth - 1)
  }
  return seen === 0 ? 0 : Math.ceil((bytes * count) / seen)
}

/** One byte a character, as in the engine for Latin text; two for others is not worth a scan of the string. */
function textBytes(text: string): number {
  return 16 + text.length
}
