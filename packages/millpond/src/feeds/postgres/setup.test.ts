/** What the database has to be like, and that the feed says in SQL what to change where it is not. */
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { Sessions } from '../../../../../tools/servers/postgres-probe.ts'
import { FeedError, OptionError } from '../../core/errors.ts'
import { type PostgresFeed, type PostgresFeedOptions, postgresFeed } from './index.ts'

describe.each(['system', 'embedded'] as const)('the setup of a feed (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let owner: pg.Client
  let feed: PostgresFeed | undefined

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    sessions = new Sessions(server)
    owner = await sessions.open()
    await owner.query('CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE second (id int PRIMARY KEY)')
  })
  afterAll(async () => {
    await sessions?.end()
    await server?.destroy()
  })
  afterEach(() => feed?.close())

  const start = (options: PostgresFeedOptions): Promise<void> => {
    feed = postgresFeed({ connectionString: server.url, ...options })
    return feed.ready()
  }
  const refusal = async (options: PostgresFeedOptions): Promise<string> => {
    const error = await start(options).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(FeedError)
    expect(feed!.status().bypassReason).toBe((error as FeedError).message)
    expect(feed!.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
    return (error as FeedError).message
  }
  const published = async (name: string): Promise<string[]> => {
    const { rows } = await owner.query(
      'SELECT tablename AS t FROM pg_publication_tables WHERE pubname = $1 ORDER BY 1',
      [name],
    )
    return rows.map((row) => row.t)
  }

  test('the publication is created for the tables that are named, never for all, and completed later', async () => {
    await start({ tables: ['good'] })
    expect(await published('millpond')).toEqual(['good'])
    const { rows } = await owner.query("SELECT puballtables AS all FROM pg_publication WHERE pubname = 'millpond'")
    expect(rows).toEqual([{ all: false }])
    await feed!.close()
    await start({ tables: ['second'] })
    expect(await published('millpond')).toEqual(['good', 'second'])
  })

  test('two feeds that start at once agree on the publication', async () => {
    const make = (table: string): PostgresFeed =>
      postgresFeed({ connectionString: server.url, tables: [table], publication: 'shared' })
    const [one, two] = [make('good'), make('second')]
    await Promise.all([one.ready(), two.ready()])
    expect(await published('shared')).toEqual(['good', 'second'])
    await Promise.all([one.close(), two.close()])
  })

  test('a table without a primary key is refused with the SQL, before it is published', async () => {
    await owner.query('CREATE TABLE bare (n int)')
    expect(await refusal({ tables: ['good', 'bare'], publication: 'p1' })).toMatch(
      /bare has no primary key.*ALTER TABLE "public"."bare" ADD PRIMARY KEY/,
    )
    expect(await published('p1')).toEqual([])
    // The writers of that table go on as before.
    await owner.query('INSERT INTO bare VALUES (1); UPDATE bare SET n = 2')
    await owner.query('ALTER TABLE bare ADD PRIMARY KEY (n)')
    await feed!.ready()
    expect(await published('p1')).toEqual(['bare', 'good'])
  })

  test('REPLICA IDENTITY NOTHING is refused with the SQL', async () => {
    await owner.query('CREATE TABLE nameless (id int PRIMARY KEY); ALTER TABLE nameless REPLICA IDENTITY NOTHING')
    expect(await refusal({ tables: ['nameless'], publication: 'p2' })).toContain(
      'ALTER TABLE "public"."nameless" REPLICA IDENTITY DEFAULT',
    )
  })

  test('a table that is not there, unlogged, or a view', async () => {
    await owner.query('CREATE UNLOGGED TABLE quick (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1')
    expect(await refusal({ tables: ['Good'] })).toMatch(/no table Good/)
    await feed!.close()
    expect(await refusal({ tables: ['quick'] })).toMatch(/quick is unlogged/)
    await feed!.close()
    expect(await refusal({ tables: ['seen'] })).toMatch(/no table seen/)
  })

  test('a role that may not replicate', async () => {
    await owner.query('CREATE ROLE plain LOGIN; CREATE PUBLICATION for_plain FOR TABLE good')
    const options = { connectionString: server.urlOf({ user: 'plain' }), tables: ['good'], publication: 'for_plain' }
    expect(await refusal(options)).toMatch(/may not replicate.*ALTER ROLE .* REPLICATION/)
    await owner.query('ALTER ROLE plain REPLICATION')
    await feed!.ready()
    expect(feed!.status().state).toBe('live')
  })

  test('a role that may not publish', async () => {
    await owner.query('CREATE ROLE replicator LOGIN REPLICATION')
    const options = { connectionString: server.urlOf({ user: 'replicator' }), tables: ['good'], publication: 'p3' }
    expect(await refusal(options)).toContain('CREATE PUBLICATION "p3" FOR TABLE "public"."good"')
  })

  test('a publication that hides something', async () => {
    await owner.query("CREATE PUBLICATION partial FOR TABLE good WITH (publish = 'insert')")
    expect(await refusal({ publication: 'partial' })).toContain(
      `ALTER PUBLICATION "partial" SET (publish = 'insert, update, delete, truncate')`,
    )
    await feed!.close()
    await owner.query('CREATE PUBLICATION filtered FOR TABLE good WHERE (id > 10)')
    expect(await refusal({ publication: 'filtered' })).toMatch(/only some rows of good/)
    await feed!.close()
    await owner.query(`CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE PUBLICATION rooted FOR TABLE root WITH (publish_via_partition_root)`)
    expect(await refusal({ publication: 'rooted', tables: ['root'] })).toContain(
      'SET (publish_via_partition_root = false)',
    )
    await feed!.close()
    expect(await refusal({ publication: 'absent' })).toContain('CREATE PUBLICATION "absent"')
  })

  test('a publication for all tables is read where somebody has made one; tables without a key are reported', async () => {
    await owner.query('CREATE TABLE unkeyed (n int); CREATE PUBLICATION everything FOR ALL TABLES')
    const warnings: object[] = []
    await start({
      publication: 'everything',
      tables: ['good', 'unkeyed'],
      logger: { warn: (details) => warnings.push(details), error() {} },
    })
    expect(warnings).toEqual([{ table: 'unkeyed', publication: 'everything' }])
    await owner.query('DROP PUBLICATION everything')
  })

  test('a wrong database or role is told, not tried for ever in silence', async () => {
    expect(await refusal({ connectionString: server.urlOf({ database: 'nowhere' }), tables: ['good'] })).toMatch(
      /refuses the connection.*nowhere/,
    )
    await feed!.close()
    expect(await refusal({ connectionString: server.urlOf({ user: 'nobody_here' }), tables: ['good'] })).toMatch(
      /nobody_here/,
    )
  })

  test('wal_level = replica is refused, naming what to set and the other mode', async () => {
    const plain = await startPostgres({ binaries, settings: { wal_level: 'replica' } })
    try {
      const client = await new Sessions(plain).open()
      await client.query('CREATE TABLE good (id int PRIMARY KEY)')
      const message = await refusal({ connectionString: plain.url, tables: ['good'] })
      expect(message).toMatch(/ALTER SYSTEM SET wal_level = 'logical'.*mode: 'triggers'/)
      expect((await client.query('SELECT FROM pg_publication')).rows).toEqual([])
      await feed!.close()
      await client.end()
    } finally {
      await plain.destroy()
    }
  })

  test('a standby is refused', async () => {
    const standby = await startPostgres({ binaries })
    try {
      await standby.stop()
      const { writeFileSync } = await import('node:fs')
      writeFileSync(`${standby.dataDir}/standby.signal`, '')
      await standby.restart()
      expect(await refusal({ connectionString: standby.url, tables: ['good'] })).toMatch(/is a standby/)
      await feed!.close()
    } finally {
      await standby.destroy()
    }
  })
})

describe('options that cannot work on any server', () => {
  const refused = (options: PostgresFeedOptions, option: string): void => {
    expect(() => postgresFeed(options)).toThrow(OptionError)
    expect(() => postgresFeed(options)).toThrow(option)
  }

  test('are refused at once, each by name', () => {
    refused({}, 'tables')
    refused({ tables: [], mode: 'triggers', publication: 'p' }, 'tables')
    refused({ tables: ['a.b.c'] }, 'tables')
    refused({ tables: 'users' as never }, 'tables')
    refused({ tables: [5 as never] }, 'tables')
    refused({ tables: ['t'], mode: 'trigger' as never }, 'mode')
    refused({ tables: ['t'], lsn: 'write' as never }, 'lsn')
    refused({ tables: ['t'], maxStaleness: -1 }, 'maxStaleness')
    refused({ tables: ['t'], maxStaleness: 100, heartbeat: 60 }, 'heartbeat')
    refused({ tables: ['t'], maxStaleness: 0 }, 'heartbeat')
    refused({ tables: ['t'], rowTagsMax: 0 }, 'rowTagsMax')
    refused({ tables: ['t'], slot: { name: 'No Way' } }, 'slot.name')
    refused({ tables: ['t'], mode: 'triggers', slot: { name: 's' } }, 'slot')
  })

  test('a client that is none is refused when the feed starts', async () => {
    const feed = postgresFeed({ tables: ['t'], client: {} as never })
    await expect(feed.ready()).rejects.toThrow(/client: pg/)
    await feed.close()
  })
})
