import type pg from 'pg'
import { expectTypeOf, test } from 'vitest'
import type { PgPool, PgPoolClient } from './pg-pool.ts'

test('the slices fit what pg is', () => {
  expectTypeOf<pg.Pool>().toExtend<PgPool>()
  expectTypeOf<Pick<pg.PoolClient, 'query'>>().toExtend<Pick<PgPoolClient, 'query'>>()
})
