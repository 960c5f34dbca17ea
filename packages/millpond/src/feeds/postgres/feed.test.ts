import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../../../../tools/servers/postgres-probe.ts'
import { systemClock } from '../../core/clock.ts'
import { type PostgresFeed, type PostgresFeedOptions, positionOf, postgresFeed, rowTag } from './index.ts'

describe.each(['system', 'embedded'] as const)('what a feed tells of a real server (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let writer: pg.Client
  let heard: FeedRecorder
  let feed: PostgresFeed
  let publications = 0

  beforeAll(async () => {
    // Transactions of more than 64 kB are streamed while they run, so that small tests reach that path.
    server = await startPostgres({
      binaries,
      settings: { max_prepared_transactions: 5, logical_decoding_work_mem: '64kB', wal_writer_delay: '10s' },
    })
    sessions = new Sessions(server)
    writer = await sessions.open()
  })
  afterAll(async () => {
    await sessions?.end()
    await server?.destroy()
  })
  afterEach(() => feed?.close())

  async function listen(tables: string[], options: Partial<PostgresFeedOptions> = {}): Promise<void> {
    const publication = `p${++publications}`
    feed = postgresFeed({ connectionString: server.url, tables, publication, ...options })
    heard = new FeedRecorder()
    feed.subscribe(heard)
    await feed.ready()
  }

  /** Everything that was written before this call has been told and has settled. */
  async function told(): Promise<void> {
    expect(await feed.reached(await positionOf(writer), 10_000)).toBe(true)
    await feed.settled(10_000)
    expect(heard.settledTags).toEqual(heard.invalidated)
  }

  async function tagsOf(...statements: string[]): Promise<string[][]> {
    await told()
    heard.clear()
    for (const statement of statements) await writer.query(statement)
    await told()
    return heard.invalidated.map((tags) => [...tags])
  }

  test('an insert, an update and a delete name the table and the row', async () => {
    await writer.query('CREATE TABLE plain (id int PRIMARY KEY, note text)')
    await listen(['plain'])
    expect(
      await tagsOf("INSERT INTO plain VALUES (1, 'a')", "UPDATE plain SET note = 'b'", 'DELETE FROM plain'),
    ).toEqual(Array(3).fill(['plain', 'plain:1']))
  })

  test('a changed key names the row under both keys', async () => {
    await writer.query('CREATE TABLE moved (id int PRIMARY KEY); INSERT INTO moved VALUES (1)')
    await listen(['moved'])
    expect(await tagsOf('UPDATE moved SET id = 2')).toEqual([['moved', 'moved:1', 'moved:2']])
  })

  test('composite keys and schemas are written as rowTag writes them', async () => {
    await writer.query(`CREATE SCHEMA shop; CREATE TABLE shop.lines (note text, line int, "order" text,
      PRIMARY KEY ("order", line)); CREATE TABLE shop."odd:name" (id text PRIMARY KEY)`)
    await listen(['shop.lines', 'shop.odd:name'])
    expect(await tagsOf("INSERT INTO shop.lines VALUES ('x', 7, 'a,b%')")).toEqual([
      ['shop.lines', 'shop.lines:a%2Cb%25,7'],
    ])
    expect(rowTag('shop.lines', 'a,b%', 7)).toBe('shop.lines:a%2Cb%25,7')
    expect(await tagsOf(`INSERT INTO shop."odd:name" VALUES ('a,b:c')`)).toEqual([
      ['shop.odd%3Aname', 'shop.odd%3Aname:a,b:c'],
    ])
    expect(rowTag({ schema: 'shop', table: 'odd:name' }, 'a,b:c')).toBe('shop.odd%3Aname:a,b:c')
    expect(feed.covers('shop.lines:a,7')).toBe('shop.lines:*')
    expect(feed.covers('shop.lines:7')).toBeUndefined()
  })

  test('keys of other types come in their text form, dates in ISO and UTC', async () => {
    await writer.query(
      `CREATE TABLE typed (at timestamptz, day date, yes boolean, id uuid, PRIMARY KEY (at, day, yes, id))`,
    )
    await writer.query("ALTER DATABASE postgres SET DateStyle = 'German'")
    await writer.query("ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'")
    onTestFinished(async () => {
      await writer.query('ALTER DATABASE postgres RESET ALL')
    })
    await listen(['typed'])
    const id = '0b9fd5a4-5d0d-4a52-9b94-6f3c4b7fd0b1'
    expect(
      await tagsOf(`INSERT INTO typed VALUES ('2026-02-03 04:05:06.7Z', '2026-02-03', true, '${id.toUpperCase()}')`),
    ).toEqual([['typed', rowTag('typed', '2026-02-03 04:05:06.7+00', '2026-02-03', true, id)]])
  })

  test('REPLICA IDENTITY decides what an old row tells; what it lacks is told in bulk', async () => {
    await writer.query(`CREATE TABLE ident (id int PRIMARY KEY, tenant int NOT NULL, note text);
      CREATE UNIQUE INDEX by_tenant ON ident (tenant); CREATE UNIQUE INDEX by_both ON ident (tenant, id);
      INSERT INTO ident VALUES (1, 10, 'a')`)
    const changes = [
      "UPDATE ident SET note = 'b'",
      'UPDATE ident SET id = id + 1',
      'DELETE FROM ident WHERE tenant = 10',
      "INSERT INTO ident VALUES (1, 10, 'a')",
    ]
    const exact = [['ident:1'], ['ident:1', 'ident:2'], ['ident:2'], ['ident:1']]
    const inBulk = [['ident:*'], ['ident:*'], ['ident:*'], ['ident:1']]
    await listen(['ident'])
    for (const [identity, expected] of [
      ['DEFAULT', exact],
      ['FULL', exact],
      ['USING INDEX by_both', exact],
      ['USING INDEX by_tenant', inBulk],
    ] as const) {
      await writer.query(`ALTER TABLE ident REPLICA IDENTITY ${identity}`)
      // The first change under a new identity is told in bulk, as any change of the table's shape.
      await tagsOf("UPDATE ident SET note = 'c'")
      expect(await tagsOf(...changes), identity).toEqual(expected.map((rows) => ['ident', ...rows]))
    }
    await writer.query('ALTER TABLE ident REPLICA IDENTITY NOTHING')
    await expect(writer.query("UPDATE ident SET note = 'd'")).rejects.toThrow(/replica identity/)
    expect((await tagsOf("INSERT INTO ident VALUES (5, 50, 'e')"))[0]).toContain('ident')
  })

  test('a table without a key that is published with its whole rows is told in bulk', async () => {
    await writer.query('CREATE TABLE keyless (note text); ALTER TABLE keyless REPLICA IDENTITY FULL')
    await listen(['keyless'])
    expect(await tagsOf("INSERT INTO keyless VALUES ('a')")).toEqual([['keyless', 'keyless:*']])
    expect(feed.covers('keyless:a')).toBe('keyless:*')
  })

  test('a large value that an update leaves alone does not hide the key', async () => {
    await writer.query(`CREATE TABLE large (id text PRIMARY KEY, body text); ALTER TABLE large ALTER id SET STORAGE EXTERNAL;
      ALTER TABLE large ALTER body SET STORAGE EXTERNAL`)
    const id = 'k'.repeat(2200)
    await writer.query('INSERT INTO large VALUES ($1, $2)', [id, 'b'.repeat(20_000)])
    await listen(['large'])
    // The key lies outside of the row and is not sent with the new one: PostgreSQL sends the old one for that.
    expect(await tagsOf("UPDATE large SET body = 'c'")).toEqual([['large', `large:${id}`]])
    await writer.query('ALTER TABLE large REPLICA IDENTITY FULL')
    await tagsOf("UPDATE large SET body = 'd'")
    expect(await tagsOf("UPDATE large SET body = 'e'")).toEqual([['large', `large:${id}`]])
  })

  test('TRUNCATE, also by CASCADE, voids every row', async () => {
    await writer.query('CREATE TABLE a1 (id int PRIMARY KEY); CREATE TABLE a2 (id int PRIMARY KEY REFERENCES a1)')
    await listen(['a1', 'a2'])
    const [tags] = await tagsOf('TRUNCATE a1 CASCADE')
    expect(new Set(tags)).toEqual(new Set(['a1', 'a1:*', 'a2', 'a2:*']))
    expect(feed.covers('a1:1')).toBe('a1:*')
    expect(feed.covers('a1')).toBe('a1:*')
    expect(feed.covers('b1:1')).toBeUndefined()
  })

  test('changes of a partition are changes of the tables above it, partitions made later included', async () => {
    await writer.query(`CREATE TABLE parted (day date, id int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
      CREATE TABLE parted_25 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')`)
    await listen(['parted'])
    expect(await tagsOf("INSERT INTO parted VALUES ('2025-05-05', 1)")).toEqual([['parted', 'parted:1,2025-05-05']])
    // Other column order in the partition; not known to the feed until its first row comes.
    await writer.query(`CREATE TABLE parted_26 (id int NOT NULL, day date NOT NULL);
      ALTER TABLE parted ATTACH PARTITION parted_26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`)
    const [first] = await tagsOf("INSERT INTO parted VALUES ('2026-05-05', 2)")
    expect(first).toEqual(['parted', 'parted:*'])
    await heard.until(() => feed.status().unsettled === 0)
    expect(await tagsOf('UPDATE parted SET id = 3 WHERE id = 2')).toEqual([
      ['parted', 'parted:2,2026-05-05', 'parted:3,2026-05-05'],
    ])
    expect(await tagsOf("UPDATE parted SET day = '2025-06-06' WHERE id = 3")).toEqual([
      ['parted', 'parted:3,2026-05-05', 'parted:3,2025-06-06'],
    ])
    // Told by the event, and again by the catalog, which sees new files: twice the same.
    const truncated = await tagsOf('TRUNCATE parted_25')
    expect(truncated[0]).toEqual(['parted', 'parted:*'])
    expect(new Set(truncated.map(String)).size).toBe(1)
  })

  test('rows of an inheritance child belong to its parent too', async () => {
    await writer.query(
      'CREATE TABLE animal (id int PRIMARY KEY); CREATE TABLE cat (PRIMARY KEY (id)) INHERITS (animal)',
    )
    await listen(['animal', 'cat'])
    const [tags] = await tagsOf('INSERT INTO cat VALUES (4)')
    expect(new Set(tags)).toEqual(new Set(['animal', 'animal:4', 'cat', 'cat:4']))
  })

  test('COPY, cascading foreign keys and savepoints: what was committed, and nothing that was rolled back', async () => {
    await writer.query(`CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
      INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (10, 1), (20, 2)`)
    await listen(['parent', 'child'])
    expect(await tagsOf('DELETE FROM parent WHERE id = 1')).toEqual([['parent', 'parent:1', 'child', 'child:10']])
    expect(
      await tagsOf(
        'BEGIN',
        'INSERT INTO parent VALUES (3)',
        'SAVEPOINT s',
        'INSERT INTO parent VALUES (4)',
        'ROLLBACK TO s',
        'COMMIT',
      ),
    ).toEqual([['parent', 'parent:3']])
    expect(await tagsOf('BEGIN', 'INSERT INTO parent VALUES (5)', 'ROLLBACK')).toEqual([])
    // The server's own program as the source, so that no file is needed.
    expect(await tagsOf(`COPY parent FROM PROGRAM 'printf "6\\n7\\n"'`)).toEqual([['parent', 'parent:6', 'parent:7']])
  })

  test('a prepared transaction is told when it is committed', async () => {
    await writer.query('CREATE TABLE two_phase (id int PRIMARY KEY)')
    await listen(['two_phase'])
    expect(await tagsOf('BEGIN', 'INSERT INTO two_phase VALUES (1)', "PREPARE TRANSACTION 'x'")).toEqual([])
    expect(await tagsOf("COMMIT PREPARED 'x'")).toEqual([['two_phase', 'two_phase:1']])
  })

  test('a large transaction is streamed and told as a whole; rolled back parts of it are not', async () => {
    await writer.query('CREATE TABLE big (id int PRIMARY KEY, body text)')
    await listen(['big'], { rowTagsMax: 5000 })
    const rows = (from: number, to: number): string =>
      `INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(${from}, ${to}) i`
    const [tags] = await tagsOf(
      'BEGIN',
      rows(1, 2000),
      'SAVEPOINT s',
      rows(2001, 4000),
      'ROLLBACK TO s',
      rows(4001, 4002),
      'COMMIT',
    )
    const expected = Array.from({ length: 2000 }, (_, index) => `big:${index + 1}`)
    expect(new Set(tags)).toEqual(new Set(['big', ...expected, 'big:4001', 'big:4002']))
    const { rows: stats } = await writer.query(
      'SELECT stream_txns::int FROM pg_stat_replication_slots WHERE slot_name = $1',
      [feed.status().slot],
    )
    expect(stats.length === 0 || stats[0].stream_txns > 0).toBe(true)
    expect(await tagsOf('BEGIN', rows(5001, 9000), 'ROLLBACK')).toEqual([])
  })

  test('servers before 14 are read by protocol 1: the same, told when the transaction is over', async () => {
    await writer.query('CREATE TABLE older (id int PRIMARY KEY, body text)')
    const { default: driver } = await import('pg')
    let command = ''
    class OldProtocol extends driver.Client {
      override query(text: never): never {
        const old = String(text).replace("proto_version '2', streaming 'on'", "proto_version '1'")
        if (old.startsWith('START_REPLICATION')) command = old
        return super.query((typeof text === 'string' ? old : text) as never) as never
      }
    }
    await listen(['older'], { rowTagsMax: 5000, client: OldProtocol as never })
    expect(command).toContain("(proto_version '1', publication_names")
    const rows = "INSERT INTO older SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i"
    const [tags] = await tagsOf(
      'BEGIN',
      rows,
      'SAVEPOINT s',
      'INSERT INTO older VALUES (-1)',
      'ROLLBACK TO s',
      'COMMIT',
    )
    expect(tags).toHaveLength(2001)
    expect(tags).not.toContain('older:-1')
  })

  test('two large transactions at once do not mix', async () => {
    await writer.query('CREATE TABLE mixed (id int PRIMARY KEY, body text)')
    const other = await sessions.open()
    await listen(['mixed'], { rowTagsMax: 5000 })
    await told()
    heard.clear()
    const rows = (from: number): string =>
      `INSERT INTO mixed SELECT ${from} + i, repeat('x', 100) FROM generate_series(0, 1499) i`
    await writer.query('BEGIN')
    await other.query('BEGIN')
    for (const half of [0, 1500]) {
      await writer.query(rows(10_000 + half))
      await other.query(rows(20_000 + half))
    }
    await other.query('COMMIT')
    await writer.query('ROLLBACK')
    await told()
    const ids = heard.invalidated.flat().filter((tag) => tag !== 'mixed')
    expect(ids).toHaveLength(3000)
    expect(ids.every((tag) => tag.startsWith('mixed:2'))).toBe(true)
  })

  test('more rows than rowTagsMax in one commit are told in bulk', async () => {
    await writer.query('CREATE TABLE many (id int PRIMARY KEY)')
    await listen(['many'], { rowTagsMax: 10 })
    expect(await tagsOf('INSERT INTO many SELECT generate_series(1, 10)')).toEqual([
      ['many', ...Array.from({ length: 10 }, (_, i) => `many:${i + 1}`)],
    ])
    expect(await tagsOf('INSERT INTO many SELECT generate_series(11, 21)')).toEqual([['many', 'many:*']])
  })

  test('a changed shape of a table voids its rows with the next change', async () => {
    await writer.query('CREATE TABLE shaped (id int PRIMARY KEY, n int); INSERT INTO shaped VALUES (1, 1)')
    await listen(['shaped'])
    await tagsOf('UPDATE shaped SET n = 2')
    const after = await tagsOf('ALTER TABLE shaped ALTER n TYPE bigint', 'UPDATE shaped SET n = 3')
    expect(after.at(-1)).toEqual(['shaped', 'shaped:*'])
    expect(await tagsOf('UPDATE shaped SET n = 4')).toEqual([['shaped', 'shaped:1']])
    await writer.query(
      'ALTER TABLE shaped DROP CONSTRAINT shaped_pkey, ADD COLUMN code int NOT NULL DEFAULT 7, ADD PRIMARY KEY (code)',
    )
    await tagsOf('UPDATE shaped SET n = 5')
    await heard.until(() => feed.covers('shaped:7') !== undefined)
    expect(await tagsOf('UPDATE shaped SET n = 6')).toEqual([['shaped', 'shaped:7']])
  })

  test('tables of the publication that were not asked for are not told about', async () => {
    await writer.query('CREATE TABLE wanted (id int PRIMARY KEY); CREATE TABLE unwanted (id int PRIMARY KEY)')
    await writer.query('CREATE PUBLICATION both_tables FOR TABLE wanted, unwanted')
    await listen(['wanted'], { publication: 'both_tables' })
    expect(await tagsOf('INSERT INTO unwanted VALUES (1)', 'INSERT INTO wanted VALUES (1)')).toEqual([
      ['wanted', 'wanted:1'],
    ])
    expect(feed.covers('unwanted')).toBeUndefined()
  })

  test('without tables the publication says which', async () => {
    await writer.query('CREATE TABLE listed (id int PRIMARY KEY); CREATE PUBLICATION given FOR TABLE listed')
    feed = postgresFeed({ connectionString: server.url, publication: 'given' })
    expect(feed.covers('anything:1')).toBe('anything:*')
    heard = new FeedRecorder()
    feed.subscribe(heard)
    await feed.ready()
    expect(feed.covers('anything:1')).toBeUndefined()
    expect(await tagsOf('INSERT INTO listed VALUES (1)')).toEqual([['listed', 'listed:1']])
  })

  test('an idle feed stays fresh, by as few questions as the bound needs', async () => {
    await writer.query('CREATE TABLE idle (id int PRIMARY KEY)')
    await listen(['idle'], { maxStaleness: '2s' })
    const from = feed.freshAsOfMs()
    const before = feed.status().queries
    await heard.until(() => true)
    while (feed.freshAsOfMs() < from + 900) await new Promise(setImmediate)
    expect(feed.status().queries - before).toBeLessThanOrEqual(3)
    expect(feed.status()).toMatchObject({ state: 'live', bypassReason: undefined, unsettled: 0, timeline: 1 })
  })

  test('a position includes what was committed before it, and no other history', async () => {
    await writer.query('CREATE TABLE positions (id int PRIMARY KEY)')
    await listen(['positions'])
    await writer.query('INSERT INTO positions VALUES (1)')
    const position = await positionOf(writer)
    expect(await feed.reached(position, 10_000)).toBe(true)
    expect(feed.includes(position)).toBe(true)
    expect(heard.invalidated).toEqual([['positions', 'positions:1']])
    const [systemId, timeline, ...lsn] = position.split('/')
    expect(feed.includes([systemId, Number(timeline) + 1, ...lsn].join('/'))).toBe(false)
    expect(feed.includes(['1', timeline, ...lsn].join('/'))).toBe(false)
    expect(feed.includes([systemId, timeline, 'FFFFFFFF', '0'].join('/'))).toBe(false)
    expect(feed.includes('nonsense')).toBe(false)
    await feed.close()
    expect(feed.includes(position)).toBe(false)
  })

  test('where commits are asynchronous, freshness and positions still cover what readers see', async () => {
    await writer.query('CREATE TABLE lazy (id int PRIMARY KEY)')
    const lazy = await sessions.open()
    await lazy.query('SET synchronous_commit = off')
    const check = async (from: number): Promise<void> => {
      for (let id = from; id < from + 4; id++) {
        await lazy.query('INSERT INTO lazy VALUES ($1)', [id])
        // Visible now, and not on disk for seconds if nobody brings that forward: the log writer sleeps.
        const visibleMs = systemClock.monotonic()
        if (id % 2 === 0) expect(await feed.reached(await positionOf(lazy), 10_000)).toBe(true)
        else while (feed.freshAsOfMs() < visibleMs) await new Promise(setImmediate)
        expect(heard.invalidated.flat()).toContain(`lazy:${id}`)
      }
    }
    await listen(['lazy'], { lsn: 'insert' })
    await check(0)
    await feed.close()
    // Without the option the feed looks at what its own session is set to.
    await writer.query('ALTER DATABASE postgres SET synchronous_commit = off')
    onTestFinished(async () => {
      await writer.query('ALTER DATABASE postgres RESET ALL')
    })
    await listen(['lazy'])
    await check(10)
  })

  test('a listener that comes late is bound by what has not settled, and one that leaves hears no more', async () => {
    await writer.query('CREATE TABLE late (id int PRIMARY KEY)')
    await listen(['late'])
    const second = new FeedRecorder()
    const leave = feed.subscribe(second)
    await tagsOf('INSERT INTO late VALUES (1)')
    expect(second.invalidated).toEqual([['late', 'late:1']])
    leave()
    leave()
    await tagsOf('INSERT INTO late VALUES (2)')
    expect(second.invalidated).toHaveLength(1)
  })

  test('close ends all connections and the slot, twice is once, and a feed without listeners rests', async () => {
    await writer.query('CREATE TABLE closing (id int PRIMARY KEY)')
    await listen(['closing'])
    const { slot } = feed.status()
    const slots = async (): Promise<number> =>
      (await writer.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [slot])).rows.length
    expect(await slots()).toBe(1)
    await Promise.all([feed.close(), feed.close()])
    expect(await slots()).toBe(0)
    expect(feed.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
    expect(feed.status()).toMatchObject({ state: 'closed', bypassReason: 'the feed is closed' })
    await expect(feed.ready()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(() => feed.subscribe(heard)).toThrow(/closed/)

    feed = postgresFeed({ connectionString: server.url, tables: ['closing'] })
    const leave = feed.subscribe(heard)
    await feed.ready()
    heard.clear()
    leave()
    feed.subscribe(heard)
    await heard.until(() => heard.resets.some((reason) => reason.startsWith('epoch')))
    await feed.ready()
    expect(feed.status().epoch).toBe(2)
  })
})
