import type pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../../../../tools/servers/postgres-probe.ts'
import { systemClock } from '../../core/clock.ts'
import { type FeedSubject, feedContract } from '../../testing/contracts-feed.ts'
import { type PostgresFeed, positionOf, postgresFeed, rowTag } from './index.ts'

describe.each(['system', 'embedded'] as const)('a feed of PostgreSQL keeps the contract of Feed (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let writer: pg.Client
  let feed: PostgresFeed

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    sessions = new Sessions(server)
    writer = await sessions.open()
    await writer.query(
      'CREATE TABLE rows (id int PRIMARY KEY, n int); INSERT INTO rows SELECT i, 0 FROM generate_series(1, 8) i',
    )
    feed = postgresFeed({ connectionString: server.url, tables: ['rows'] })
  })
  afterAll(async () => {
    await feed?.close()
    await sessions?.end()
    await server?.destroy()
  })

  const subject = (): FeedSubject => ({
    feed,
    table: 'rows',
    rowTag: (row) => rowTag('rows', row),
    async commit(row) {
      await writer.query('UPDATE rows SET n = n + 1 WHERE id = $1', [row])
      return positionOf(writer)
    },
    async caughtUp() {
      await feed.ready()
      await feed.reached(await positionOf(writer), 10_000)
      await feed.settled(10_000)
    },
    async interrupt() {
      const heard = new FeedRecorder()
      const leave = feed.subscribe(heard)
      await writer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'")
      await heard.until(() => heard.resets.length > 0)
      leave()
    },
    nowMs: () => systemClock.monotonic(),
  })

  for (const { name, run } of feedContract) test(name, () => run(subject()))
})
