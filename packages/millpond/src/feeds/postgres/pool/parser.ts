/** PostgreSQL's own parser, from the package `libpg-query`: passed in, or loaded when the first query is asked. */
import { OptionError } from '../../../core/errors.ts'
import { loadPackage } from '../../../core/late-package.ts'
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
  const parser = passed ?? ((await loadPackage('libpg-query').catch(explain)) as SqlParser)
  await parser.loadModule()
  return (sql) => parser.parseSync(sql) as ReturnType<Parse>
}

function explain(): never {
  throw new OptionError('parser', undefined, 'run `npm install libpg-query`, or pass it: cachePool(pool, { parser })')
}
