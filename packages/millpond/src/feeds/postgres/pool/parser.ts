/** PostgreSQL's own parser, from the package `libpg-query`: passed in, or loaded when the first query is asked. */
import { createRequire } from 'node:module'
import { OptionError } from '../../../core/errors.ts'
import type { Node } from '../sql/ast.ts'

/** The slice of `libpg-query` that is called. */
export interface SqlParser {
  /** Makes the parser ready: it is WebAssembly. */
  loadModule(): Promise<unknown>
  /** The syntax tree of a text. Throws where it is no SQL. */
  parseSync(sql: string): unknown
}

/** What parses a text. */
export type Parse = (sql: string) => { readonly stmts?: readonly { readonly stmt: Node }[] }

/** @throws OptionError (`ERR_OPTION`) where the package is neither passed nor installed */
export async function parserOf(passed: SqlParser | undefined): Promise<Parse> {
  const parser = passed ?? (await load())
  await parser.loadModule()
  return (sql) => parser.parseSync(sql) as ReturnType<Parse>
}

async function load(): Promise<SqlParser> {
  const name = 'libpg-query'
  try {
    return (await import(name)) as SqlParser
  } catch {
    return fromApplication(name)
  }
}

function fromApplication(name: string): SqlParser {
  try {
    return createRequire(`${process.cwd()}/`)(name) as SqlParser
  } catch {
    throw new OptionError('parser', undefined, 'run `npm install libpg-query`, or pass it: cachePool(pool, { parser })')
  }
}
