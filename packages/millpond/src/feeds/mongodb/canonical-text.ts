/**
 * One text for each BSON value, in the manner of canonical Extended JSON: values that differ in type or content have
 * different texts, fields keep their order, and nothing is shortened. So a text can be a key.
 */

/** The text of a value, or `undefined` for what has none: functions, undefined, instances of classes that BSON does not know. */
export function canonicalText(
  value: unknown,
  asNumber: (value: unknown) => number | undefined = () => undefined,
): string | undefined {
  const number = asNumber(value)
  if (number !== undefined) return String(number)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return `{"$number":"${Object.is(value, -0) ? '-0' : value}"}`
  if (typeof value === 'bigint') return `{"$numberLong":"${value}"}`
  if (typeof value !== 'object') return undefined
  const inner = (part: unknown) => canonicalText(part, asNumber)
  if (Array.isArray(value)) return listText(value.map(inner))
  return instanceText(value) ?? fieldsText(value, inner)
}

function listText(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : `[${parts.join(',')}]`
}

function fieldsText(value: object, inner: (part: unknown) => string | undefined): string | undefined {
  const isMap = value instanceof Map
  const prototype: unknown = Object.getPrototypeOf(value)
  // Objects of another realm or of `Object.create(null)` are plain too.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (!isMap && (!isPlain || '_bsontype' in value || 'toBSON' in value)) return undefined
  const parts: string[] = []
  for (const [name, part] of isMap ? value : Object.entries(value)) {
    const text = inner(part)
    if (text === undefined || typeof name !== 'string') return undefined
    parts.push(`${JSON.stringify(name)}:${text}`)
  }
  return `{${parts.join(',')}}`
}

/** Texts of what is not plain, by class or by what the package `bson` calls it. */
function instanceText(value: object): string | undefined {
  if (value instanceof Date) return `{"$date":"${value.getTime()}"}`
  if (value instanceof RegExp) return `{"$regex":${JSON.stringify([value.source, value.flags])}}`
  if (value instanceof Uint8Array) return binaryText(value, 0)
  const { _bsontype: type } = value as { _bsontype?: string }
  if (type === 'ObjectId') return `{"$oid":"${textOf(value)}"}`
  if (type === 'Long' || type === 'Int32' || type === 'Double' || type === 'Decimal128')
    return `{"$number${type}":"${textOf(value)}"}`
  if (type === 'MinKey' || type === 'MaxKey') return `{"$${type}":1}`
  if (type === 'Timestamp') return `{"$timestamp":"${textOf(value)}"}`
  if (type === 'Binary' || type === 'UUID') {
    const { buffer, sub_type, position } = value as { buffer: Uint8Array; sub_type: number; position: number }
    return binaryText(buffer.subarray(0, position), sub_type)
  }
  return undefined
}

function binaryText(bytes: Uint8Array, type: number): string {
  return `{"$binary":"${type}:${Buffer.from(bytes).toString('base64')}"}`
}

/** BSON's classes all say what they are. */
function textOf(value: unknown): string {
  return String(value)
}
