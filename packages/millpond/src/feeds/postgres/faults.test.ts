/** What breaks, and what a cache is told then: nothing that was kept before counts, and hits stop until it is whole. */
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions, TcpProxy } from '../../../../../tools/servers/postgres-probe.ts'
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import { type PostgresFeed, type PostgresFeedOptions, positionOf, postgresFeed } from './index.ts'

describe.each(['system', 'embedded'] as const)('a feed whose server or wire fails (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let writer: pg.Client
  let feed: PostgresFeed
  let heard: FeedRecorder
  /** What the feed has logged, and who waits for a line. */
  let warned: (message: string) => void = () => {}

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    sessions = new Sessions(server)
    await connect()
    await writer.query('CREATE TABLE kept (id int PRIMARY KEY)')
  })
  afterAll(async () => {
    await sessions?.end()
    await server?.destroy()
  })
  afterEach(() => feed?.close())

  async function connect(): Promise<void> {
    writer = await sessions.open()
  }

  function make(options: Partial<PostgresFeedOptions> = {}): PostgresFeed {
    const logger = { warn: (_: object, message: string) => warned(message), error() {} }
    const where = options.connection === undefined ? { connectionString: server.url } : {}
    feed = postgresFeed({ ...where, tables: ['kept'], logger, ...options })
    heard = new FeedRecorder()
    feed.subscribe(heard)
    return feed
  }

  /** Resolves with the next line of the log that matches. */
  function warning(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      warned = (message) => pattern.test(message) && resolve(message)
    })
  }

  /** The feed tells of writes, as it did before the fault. */
  async function tells(): Promise<void> {
    await feed.ready()
    heard.clear()
    await writer.query('INSERT INTO kept SELECT coalesce(max(id), 0) + 1 FROM kept')
    expect(await feed.reached(await positionOf(writer), 10_000)).toBe(true)
    expect(heard.invalidated).toHaveLength(1)
    await feed.settled(10_000)
    expect(heard.settledTags).toEqual(heard.invalidated)
    expect(feed.status()).toMatchObject({ state: 'live', bypassReason: undefined })
  }

  /** At the reset, and from then on, nothing passes for fresh; then a new epoch begins. */
  async function recovers(breakIt: () => Promise<unknown>): Promise<string> {
    await tells()
    heard.clear()
    const { epoch } = feed.status()
    let freshAtReset = 0
    const reset = heard.until(() => {
      if (heard.resets.length !== 1) return false
      freshAtReset = feed.freshAsOfMs()
      return true
    })
    await breakIt()
    await reset
    expect(freshAtReset).toBe(Number.NEGATIVE_INFINITY)
    const [reason] = heard.resets
    await feed.ready()
    expect(feed.status().epoch).toBeGreaterThan(epoch)
    // The last reset comes before anything of the new epoch is told.
    expect(heard.resets.at(-1)).toMatch(/^epoch \d+ begins$/)
    await tells()
    return reason!
  }

  const terminate = (which: string) => (): Promise<unknown> =>
    writer.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${which} AND pid <> pg_backend_pid()`)

  test('the walsender is killed', async () => {
    make()
    expect(await recovers(terminate("backend_type = 'walsender'"))).toMatch(/terminating connection/)
  })

  test('the control connection is killed', async () => {
    make()
    expect(await recovers(terminate("application_name = 'millpond' AND backend_type = 'client backend'"))).toMatch(
      /terminating connection/,
    )
  })

  test('all backends are killed', async () => {
    make()
    await recovers(terminate("backend_type IN ('walsender', 'client backend')"))
  })

  test('the server is restarted', async () => {
    make()
    await recovers(async () => {
      await server.restart()
      await connect()
    })
  })

  test('the server crashes and recovers', async () => {
    make()
    const position = await (async () => {
      await feed.ready()
      return feed.position()!
    })()
    await recovers(async () => {
      await server.crash()
      await server.restart()
      await connect()
    })
    // The same history: what was written before the crash is still included.
    expect(feed.includes(position)).toBe(true)
  })

  test('the server is away for a while: the feed waits, and says so', async () => {
    make()
    await tells()
    const refused = warning(/ECONNREFUSED/)
    await server.stop()
    await refused
    expect(feed.status()).toMatchObject({ state: 'starting', lagMs: Number.POSITIVE_INFINITY })
    expect(feed.status().bypassReason).toMatch(/ECONNREFUSED|connecting/)
    await server.restart()
    await connect()
    await tells()
  })

  test('the wire goes dead without closing: proof of freshness stops at once, the session in time', async () => {
    const proxy = await TcpProxy.to(server.port)
    make({
      connection: { host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'postgres' },
      stallTimeout: 400,
    })
    await tells()
    heard.clear()
    proxy.stall()
    const dead = systemClock.monotonic()
    // Two commits that the feed cannot hear of.
    await writer.query('INSERT INTO kept SELECT max(id) + 1 FROM kept')
    const committed = systemClock.monotonic()
    await heard.until(() => heard.resets.length > 0)
    expect(heard.invalidated).toEqual([])
    expect(heard.resets[0]).toMatch(/did not answer|silent/)
    // All that was ever proven is about the time before the commit.
    expect(feed.freshAsOfMs()).toBeLessThan(committed)
    expect(dead).toBeLessThan(committed)
    proxy.resume()
    await tells()
    await feed.close()
    await proxy.close()
  })

  test('only the stream is dead: the silence is noticed though the server answers', async () => {
    const proxy = await TcpProxy.to(server.port)
    // The connections after the first of each session are replication: only they take the way through the proxy.
    const { default: driver } = await import('pg')
    class HalfProxied extends driver.Client {
      constructor(config: pg.ClientConfig & { replication?: string }) {
        super({ ...config, port: config.replication ? proxy.port : server.port } as pg.ClientConfig)
      }
    }
    make({
      client: HalfProxied as never,

      connection: { host: '127.0.0.1', user: 'postgres', database: 'postgres' },
      stallTimeout: 300,
    })
    await tells()
    heard.clear()
    const before = feed.freshAsOfMs()
    proxy.stall()
    await writer.query('INSERT INTO kept SELECT max(id) + 1 FROM kept')
    await heard.until(() => heard.resets.length > 0)
    expect(heard.resets[0]).toMatch(/stream was silent/)
    expect(before).toBeGreaterThan(0)
    proxy.resume()
    await tells()
    await feed.close()
    await proxy.close()
  })

  test('connections are cut: the feed is back by itself', async () => {
    const proxy = await TcpProxy.to(server.port)
    make({ connectionString: server.url.replace(String(server.port), String(proxy.port)) })
    await recovers(async () => proxy.cut())
    await feed.close()
    await proxy.close()
  })

  test('an event loop that was blocked makes misses, not lies', async () => {
    let leapMs = 0
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + leapMs }
    make({ clock })
    await tells()
    // The clock goes on while nothing else of this process does.
    leapMs = 10_000
    expect(clock.monotonic() - feed.freshAsOfMs()).toBeGreaterThan(9000)
    expect(feed.status()).toMatchObject({ state: 'late' })
    expect(feed.status().bypassReason).toMatch(/behind/)
  })

  test('where the feed itself is taken for a synchronous standby, commits do not wait for readers', async () => {
    make()
    await tells()
    await writer.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await writer.query('SELECT pg_reload_conf()')
    const states = async (): Promise<string[]> =>
      (await writer.query('SELECT sync_state FROM pg_stat_replication')).rows.map((row) => row.sync_state)
    while (!(await states()).includes('sync')) await feed.settled(1)
    // Each commit waits until the feed has acknowledged it, and becomes visible only then.
    for (let round = 0; round < 5; round++) await tells()
    await writer.query('ALTER SYSTEM RESET synchronous_standby_names')
    await writer.query('SELECT pg_reload_conf()')
  })

  test('a slot waits for an open write transaction, which is named', async () => {
    const blocker = await sessions.open()
    await blocker.query('BEGIN; INSERT INTO kept VALUES (-1)')
    const { rows } = await blocker.query('SELECT pg_backend_pid() AS pid')
    const named = warning(/waits for open write transactions/)
    make()
    expect(await named).toContain(`process ${rows[0].pid} (idle in transaction`)
    expect(feed.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
    expect(feed.status().bypassReason).toContain(`pg_terminate_backend(${rows[0].pid})`)
    await blocker.query('ROLLBACK')
    await tells()
  })

  test('a feed that is closed while it waits for its slot leaves nothing behind', async () => {
    const blocker = await sessions.open()
    await blocker.query('BEGIN; INSERT INTO kept VALUES (-1)')
    const named = warning(/waits for open write transactions/)
    make()
    await named
    await feed.close()
    // A backend ends a moment after it was told to.
    let left = 1
    while (left > 0) {
      const { rows } = await writer.query("SELECT FROM pg_stat_activity WHERE application_name = 'millpond'")
      left = rows.length
    }
    expect((await writer.query('SELECT FROM pg_replication_slots')).rows).toEqual([])
    await blocker.query('ROLLBACK')
  })

  test('a kept slot is used again, acknowledged only up to what is visible, and replaced when it is lost', async () => {
    make({ slot: { name: 'kept_slot' } })
    await tells()
    await feed.close()
    const { rows } = await writer.query(
      "SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = 'kept_slot'",
    )
    expect(rows).toHaveLength(1)
    // An open write transaction does not hold up a slot that is there already.
    const blocker = await sessions.open()
    await blocker.query('BEGIN; INSERT INTO kept VALUES (-1)')
    make({ slot: { name: 'kept_slot' } })
    await tells()
    await feed.close()
    // Unless the publication had to be altered: then its changes may be announced by the old one.
    await writer.query('CREATE TABLE added (id int PRIMARY KEY)')
    const named = warning(/waits for open write transactions/)
    make({ slot: { name: 'kept_slot' }, tables: ['kept', 'added'] })
    await named
    await blocker.query('ROLLBACK')
    await tells()
    await feed.close()
    await blocker.query("SELECT pg_drop_replication_slot('kept_slot')")
    make({ slot: { name: 'kept_slot' } })
    await tells()
    await feed.close()
    await writer.query("SELECT pg_drop_replication_slot('kept_slot')")
  })

  test('a kept slot whose log was removed is made anew', async () => {
    make({ slot: { name: 'lost_slot' } })
    await tells()
    await feed.close()
    await writer.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; ")
    await writer.query('SELECT pg_reload_conf()')
    const status = async (): Promise<string> =>
      (await writer.query("SELECT wal_status AS s FROM pg_replication_slots WHERE slot_name = 'lost_slot'")).rows[0].s
    while ((await status()) !== 'lost') {
      await writer.query('SELECT pg_logical_emit_message(false, $1, $2)', ['fill', 'x'.repeat(1_000_000)])
      await writer.query('SELECT pg_switch_wal()')
      await writer.query('CHECKPOINT')
    }
    make({ slot: { name: 'lost_slot' } })
    await tells()
    expect(await status()).not.toBe('lost')
    await feed.close()
    await writer.query("SELECT pg_drop_replication_slot('lost_slot')")
    await writer.query('ALTER SYSTEM RESET max_slot_wal_keep_size')
    await writer.query('SELECT pg_reload_conf()')
  })

  test('a table that is dropped and made again is told about again', async () => {
    await writer.query('CREATE TABLE remade (id int PRIMARY KEY)')
    const { clock, lookNow } = catalogClock()
    make({ tables: ['remade'], publication: 'remade', clock })
    await feed.ready()
    await writer.query('DROP TABLE remade; CREATE TABLE remade (id int PRIMARY KEY)')
    heard.clear()
    lookNow()
    await heard.until(() => heard.resets.length > 0)
    expect(heard.resets[0]).toMatch(/remade are not announced any more/)
    await feed.ready()
    heard.clear()
    await writer.query('INSERT INTO remade VALUES (1)')
    await heard.until(() => heard.settledTags.length > 0)
    expect(heard.invalidated).toEqual([['remade', 'remade:1']])
  })

  test('a rewrite of all rows voids the table, without any row change', async () => {
    await writer.query('CREATE TABLE rewritten (id int PRIMARY KEY, price int); INSERT INTO rewritten VALUES (1, 2)')
    const { clock, lookNow } = catalogClock()
    make({ tables: ['rewritten'], publication: 'rewritten', clock })
    await feed.ready()
    await writer.query('ALTER TABLE rewritten ALTER COLUMN price TYPE bigint USING price * 100')
    heard.clear()
    lookNow()
    await heard.until(() => heard.settledTags.length > 0)
    expect(heard.invalidated).toEqual([['rewritten', 'rewritten:*']])
  })

  test('a partition that comes with rows voids the table, without any row change', async () => {
    await writer.query(`CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE piece (id int PRIMARY KEY); INSERT INTO piece VALUES (1)`)
    const { clock, lookNow } = catalogClock()
    make({ tables: ['whole'], publication: 'whole', clock })
    await feed.ready()
    await writer.query('ALTER TABLE whole ATTACH PARTITION piece FOR VALUES FROM (0) TO (10)')
    heard.clear()
    lookNow()
    await heard.until(() => heard.settledTags.length > 0)
    expect(heard.events).toEqual([
      { kind: 'invalidate', tags: ['whole', 'whole:*'] },
      { kind: 'settle', tags: ['whole', 'whole:*'] },
    ])
  })
})

/** A clock by which a test has the catalog looked at when it likes, and nothing else. */
function catalogClock(): { clock: Clock; lookNow: () => void } {
  let look = (): void => {}
  const clock: Clock = {
    ...systemClock,
    after(delayMs, run) {
      if (delayMs === 5000) look = run
      return systemClock.after(delayMs, run)
    },
  }
  return { clock, lookNow: () => look() }
}
