/**
 * A result as it is kept, and as it is handed out: rows and all that is inside of them are the caller's own, as they are
 * without a cache. A query with parsers of its own (`types`) is kept as the text that PostgreSQL sent, and parsed for each.
 */
import type { PgResult } from './pg-pool.ts'
import type { QueryCall, TypeParsers } from './query-call.ts'

/** What is kept of a result. Frozen by the cache. */
export interface KeptAnswer {
  readonly command: string
  readonly rowCount: number | null
  readonly fields: readonly PgField[]
  readonly rows: readonly unknown[]
  /** Whether a row may hold objects, which have to be copied too. */
  readonly isDeep: boolean
}

/** As `pg` describes a column. */
interface PgField {
  readonly name: string
  readonly tableID: number
  readonly columnID: number
  readonly dataTypeID: number
  readonly dataTypeSize: number
  readonly dataTypeModifier: number
  readonly format: string
}

export function keepAnswer({ command, rowCount, fields, rows }: PgResult): KeptAnswer {
  const isDeep = rows.some((row) =>
    Object.values(row as object).some((value) => typeof value === 'object' && value !== null),
  )
  return { command, rowCount, fields: (fields as PgField[]).map(copyOfField), rows, isDeep }
}

export function handOut({ command, rowCount, fields, rows, isDeep }: KeptAnswer, call: QueryCall): object {
  const { types, asArrays } = call
  const own = types
    ? rows.map((row) => parsed(row as Texts, fields, types, asArrays))
    : rows.map(isDeep ? copyOf : copyOfFlat)
  return {
    command,
    rowCount,
    oid: null,
    fields: fields.map(copyOfField),
    rows: own,
    rowAsArray: asArrays,
  }
}

type Texts = readonly (string | null)[]

function parsed(row: Texts, fields: readonly PgField[], types: TypeParsers, asArray: boolean): unknown {
  const values = row.map((text, at) => {
    const { dataTypeID, format } = fields[at]!
    return text === null ? null : types.getTypeParser(dataTypeID, format)(text)
  })
  return asArray ? values : Object.fromEntries(values.map((value, at) => [fields[at]!.name, value]))
}

/** Leaves values as PostgreSQL sent them. */
export const TEXTS: TypeParsers = { getTypeParser: () => (text) => text }

/** By name: the copy of a frozen object as a whole takes eight times as long. */
function copyOfField(field: PgField): PgField {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = field
  return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format }
}

function copyOfFlat(row: unknown): unknown {
  return Array.isArray(row) ? row.slice() : { ...(row as object) }
}

/** Dates, bytes, lists, JSON, and objects of classes that hold such, as `pg`'s intervals. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return new Date(value.getTime())
  if (ArrayBuffer.isView(value)) return Buffer.from(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
  if (Array.isArray(value)) return value.map(copyOf)
  const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>
  for (const [name, inner] of Object.entries(value)) copy[name] = copyOf(inner)
  return copy
}
