/** The slice of `pg` in client.ts, held against the real types: `tsc` fails here when they part. */
import pg from 'pg'
import { expect, test } from 'vitest'
import type { PgClient, PgModule, Queryable } from './client.ts'
import { copyWire } from './client.ts'

const asModule: PgModule = pg
const asClass: PgModule = pg.Client
const client = new pg.Client()
const asClient: PgClient = client
const asQueryable: Queryable = client
const poolAsQueryable: (pool: pg.Pool) => Queryable = (pool) => pool
const pooledAsQueryable: (client: pg.PoolClient) => Queryable = (pooled) => pooled

test('the slice that is declared is there when it runs, the copy methods without types included', () => {
  expect([asModule, asClass, asQueryable, poolAsQueryable, pooledAsQueryable].every(Boolean)).toBe(true)
  for (const method of ['connect', 'query', 'end', 'on'] as const) expect(typeof asClient[method]).toBe('function')
  expect(copyWire(asClient).stream).toHaveProperty('destroy')
})
