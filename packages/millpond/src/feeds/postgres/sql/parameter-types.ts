/**
 * What type PostgreSQL gives to each parameter of a statement. It decides where a parameter is used first, so the text
 * alone does not tell: in `WHERE day = $1 AND name = $1` the second comparison is one with a date.
 */
import type { Queryable } from '../client.ts'
import { sqlState } from '../connect.ts'

/** Names of the types, such as `int4` and `_int4` for an array of it; or in words why PostgreSQL refuses the statement. */
export async function askParameterTypes(sql: string, client: Queryable): Promise<readonly string[] | string> {
  const name = `millpond_shape_${++asked}`
  try {
    // Several statements in one text run on one connection, whichever it is.
    const answers = await client.query(`PREPARE ${name} AS ${sql}\n;${typesSql(name)}; DEALLOCATE ${name}`)
    const rows = (answers as unknown as { rows: { types?: string }[] }[]).flatMap((answer) => answer.rows)
    const types = rows.find((row) => row.types !== undefined)?.types
    return JSON.parse(types ?? '[]') as string[]
  } catch (error) {
    const state = sqlState(error)
    // Syntax, names, rights and types; anything else may be otherwise the next time.
    if (state === undefined || !/^(42|22|0A|26)/.test(state)) throw error
    return `PostgreSQL does not take it: ${(error as Error).message}`
  }
}

/** One that failed half-way must not be in the way of the next. */
let asked = 0

const typesSql = (name: string): string => `SELECT coalesce(json_agg(t.typname ORDER BY p.at), '[]')::text AS types
  FROM pg_prepared_statements s CROSS JOIN LATERAL unnest(s.parameter_types::oid[]) WITH ORDINALITY p(type, at)
  JOIN pg_type t ON t.oid = p.type WHERE s.name = '${name}'`
