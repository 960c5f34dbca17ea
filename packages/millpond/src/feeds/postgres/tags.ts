/**
 * How changes are named: `table` for any change of a table, `table:key` for one row, `table:*` for all rows at once.
 *
 * A table outside the schema `public` is written `schema.table`. The key is the primary key in PostgreSQL's text form
 * (ISO dates in UTC). A single column stands as it is: `users:a@b.c`. Several columns are joined by `,` in the order
 * of the primary key, with `%` and `,` inside them written `%25` and `%2C`, so that no two keys read the same. In
 * names of schemas and tables `%`, `.`, `:` and `?` are written `%25`, `%2E`, `%3A` and `%3F`, which leaves usual names as they are.
 */
import { OptionError } from '../../core/errors.ts'

/** A table as the catalog spells it: nothing is folded to lower case. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** One column of a key. */
export type KeyPart = string | number | bigint | boolean

/** The tag of one row: `rowTag('orders', 17)`, `rowTag('shop.lines', order, line)`. `table` is `name` or `schema.name`. */
export function rowTag(table: string | TableName, ...key: readonly KeyPart[]): string {
  if (key.length === 0) throw new OptionError('key', key, "give the row's primary key: rowTag('orders', 17)")
  return `${tableTag(parseTable(table))}:${keyText(key.map(partText))}`
}

/** The tag that any change of the table carries. */
export function tableTag({ schema, table }: TableName): string {
  return schema === 'public' ? escapeName(table) : `${escapeName(schema)}.${escapeName(table)}`
}

/** The tag that stands for every row of the table with this tag. */
export function bulkTag(table: string): string {
  return `${table}:*`
}

/** The key part of a row's tag from the text of its columns. */
export function keyText(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : parts.map((part) => part.replace(/[%,]/g, escapeCharacter)).join(',')
}

/** `name` or `schema.name`; a name with a dot in it is given as `{ schema, table }`. */
export function parseTable(name: string | TableName, option = 'table'): TableName {
  if (typeof name === 'object' && typeof name?.schema === 'string' && typeof name.table === 'string') return name
  const parts = typeof name === 'string' ? name.split('.') : ['']
  if (parts.length > 2 || parts.some((part) => part === '')) {
    throw new OptionError(
      option,
      name,
      "write 'table' or 'schema.table'; a name with a dot is given as { schema, table }",
    )
  }
  return parts.length === 1 ? { schema: 'public', table: parts[0]! } : { schema: parts[0]!, table: parts[1]! }
}

/** A PostgreSQL identifier, quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`
}

/** PostgreSQL prints a boolean as `t` or `f`. */
function partText(part: KeyPart): string {
  return typeof part === 'boolean' ? (part ? 't' : 'f') : String(part)
}

function escapeName(name: string): string {
  return name.replace(/[%.:?]/g, escapeCharacter)
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
