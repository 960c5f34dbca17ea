/** Names of tables, for SQL and for people. */
import { escapeIdentifier } from 'pg'
import type { TableName } from './table-facts.ts'

/** More names than this are counted, not listed. */
const NAMES_MAX = 12

export function quoteTable({ schema, table }: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`
}

/** As `postgresFeed({ tables })` takes it. */
export function nameOf({ schema, table }: TableName): string {
  return schema === 'public' ? table : `${schema}.${table}`
}

/** `the table orders`, `the tables orders and items`. */
export function theTables(tables: readonly TableName[]): string {
  const names = tables.slice(0, NAMES_MAX).map(nameOf)
  const others = tables.length - names.length
  const last = others > 0 ? `${others} others` : names.pop()!
  return `the table${tables.length > 1 ? 's' : ''} ${names.length > 0 ? `${names.join(', ')} and ` : ''}${last}`
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
