/** What it costs to understand a query: once a text, and each time after that. */

import { createCache } from 'millpond'
import { cachePool, postgresFeed } from 'millpond/postgres'
import pg from 'pg'
import { spread } from '../../statistics.ts'
import { atMost, type Row, row, type SuiteContext } from '../../suite.ts'
import { makeTable } from './table.ts'

/** `$n` makes each text new. */
const SHAPES: readonly string[] = [
  'SELECT * FROM items WHERE id = 1 AND version <> -$n',
  'SELECT count(*), max(version) FROM items WHERE tenant = 3 AND version > -$n',
  "SELECT i.name, o.name FROM items i JOIN items o ON o.tenant = i.tenant WHERE i.id = 7 AND o.name <> '$n'",
  'WITH t AS (SELECT * FROM items WHERE tenant IN (1, 2, $n)) SELECT t.tenant, sum(t.version) FROM t GROUP BY t.tenant ORDER BY 1',
  'SELECT * FROM items i WHERE EXISTS (SELECT 1 FROM items j WHERE j.id = i.id AND j.tenant = $n) LIMIT 10',
]

export async function analysis(context: SuiteContext, url: string): Promise<Row[]> {
  await makeTable(url)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const feed = postgresFeed({ connectionString: url, tables: ['items'] })
  const cache = createCache({ feed })
  const cached = cachePool(pool, { cache, feed })
  const [once, known]: [number[], number[]] = [[], []]
  try {
    await feed.ready()
    const rounds = context.rounds(40)
    for (let round = -5; round < rounds; round++) {
      for (const [at, shape] of SHAPES.entries()) {
        const text = shape.replace('$n', String(1000 + round))
        const first = await timed(() => cached.explain(text))
        if (!first.result.cacheable) throw new Error(`${SHAPES[at]}: ${first.result.reasons.join('; ')}`)
        const again = await timed(() => cached.explain(text))
        if (round < 0) continue
        once.push(first.ms)
        known.push(again.ms)
      }
    }
  } finally {
    await cache.close()
    await pool.end()
  }
  return [
    row('analysis of a text, the first time', spread(once), 'ms', atMost(10)),
    row('looking up a known text', spread(known), 'ms', atMost(0.1)),
  ]
}

async function timed<T>(run: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const beganAtMs = performance.now()
  const result = await run()
  return { ms: performance.now() - beganAtMs, result }
}
