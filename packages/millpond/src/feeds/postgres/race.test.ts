/**
 * The race that the feed exists to win: PostgreSQL announces a commit before it is visible, so a cache that evicts on
 * the announcement and reloads on the next miss may store the old row, for ever.
 */
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../../../../tools/servers/postgres-probe.ts'
import type { FeedListener } from '../../core/feed.ts'
import { type PostgresFeed, positionOf, postgresFeed } from './index.ts'

/** The smallest cache that honours a feed: one load a key, stored only if nothing spoke against it. */
class TinyCache implements FeedListener {
  readonly values = new Map<string, number>()
  stored = 0
  private readonly unsettled = new Map<string, number>()
  private readonly loads = new Map<string, { void: boolean }>()
  private readonly settles: boolean
  onInvalidate: (key: string) => void = () => {}

  /** @param settles false is the mutant: it takes the announcement for the commit's visibility */
  constructor(settles: boolean) {
    this.settles = settles
  }

  invalidate(tags: readonly string[]): void {
    for (const tag of tags) {
      this.values.delete(tag)
      const load = this.loads.get(tag)
      if (load) load.void = true
      this.loads.delete(tag)
      if (this.settles) this.unsettled.set(tag, (this.unsettled.get(tag) ?? 0) + 1)
    }
    for (const tag of tags) this.onInvalidate(tag)
  }

  settle(tags: readonly string[]): void {
    if (!this.settles) return
    for (const tag of tags) this.unsettled.set(tag, this.unsettled.get(tag)! - 1)
  }

  reset(): void {
    this.values.clear()
    this.unsettled.clear()
    for (const load of this.loads.values()) load.void = true
  }

  async read(key: string, query: () => Promise<number>): Promise<number> {
    const kept = this.values.get(key)
    if (kept !== undefined) return kept
    const load = { void: (this.unsettled.get(key) ?? 0) > 0 }
    this.loads.set(key, load)
    const value = await query()
    if (!load.void) {
      this.values.set(key, value)
      this.stored++
    }
    return value
  }
}

/** What a feed has logged, for who waits for a line. */
class Warnings {
  private readonly lines: string[] = []
  private wake: () => void = () => {}

  warn(_: object, line: string): void {
    this.lines.push(line)
    this.wake()
  }

  error(): void {}

  async next(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}

describe.each(['system', 'embedded'] as const)('a commit that is announced before it is visible (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let feed: PostgresFeed

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    sessions = new Sessions(server)
    const setup = await sessions.open()
    await setup.query(
      'CREATE TABLE hot (id int PRIMARY KEY, n int); INSERT INTO hot SELECT i, 0 FROM generate_series(0, 63) i',
    )
    await setup.query('CREATE TABLE started (id int PRIMARY KEY)')
  })
  afterAll(async () => {
    await sessions?.end()
    await server?.destroy()
  })
  afterEach(() => feed?.close())

  const load = (client: pg.Client | pg.Pool, id: number) => async (): Promise<number> =>
    (await client.query('SELECT n FROM hot WHERE id = $1', [id])).rows[0].n

  /** From here on no commit becomes visible (it awaits a standby that does not exist), though it is in the log. */
  async function holdCommits(admin: pg.Client, held: boolean): Promise<void> {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${held ? 'nosuch' : ''}'`)
    await admin.query('SELECT pg_reload_conf()')
    // The checkpointer takes the new setting over in its own time, and only then do commits wait or stop waiting.
    const wanted = held ? 'nosuch' : ''
    for (;;) {
      const { rows } = await admin.query("SELECT current_setting('synchronous_standby_names') AS now")
      if (rows[0].now === wanted) return
    }
  }

  async function heldCommit(writer: pg.Client, heard: FeedRecorder, sql: string): Promise<{ done: Promise<unknown> }> {
    // Until the setting has reached the backends a commit may pass at once: the one that waits is the one we want.
    for (;;) {
      heard.clear()
      let passed = false
      const done = writer.query(sql).then(() => {
        passed = true
      })
      await heard.until(() => heard.invalidated.length > 0)
      await writerWaits(() => passed)
      if (!passed) return { done }
      await done
    }
  }

  /** Resolves once the writer's backend waits for the standby, or has gone through. */
  async function writerWaits(passed: () => boolean): Promise<void> {
    const admin = await sessions.open()
    for (;;) {
      const { rows } = await admin.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
      if (rows.length > 0 || passed()) break
    }
    await admin.end()
  }

  test('while a synchronous standby is awaited the old row is read, and not kept', async () => {
    const [admin, writer, reader] = [await sessions.open(), await sessions.open(), await sessions.open()]
    feed = postgresFeed({ connectionString: server.url, tables: ['hot'] })
    const heard = new FeedRecorder()
    const cache = new TinyCache(true)
    const mutant = new TinyCache(false)
    feed.subscribe(cache)
    feed.subscribe(mutant)
    feed.subscribe(heard)
    await feed.ready()
    await holdCommits(admin, true)
    const before = await load(reader, 1)()
    const { done } = await heldCommit(writer, heard, 'UPDATE hot SET n = n + 1 WHERE id = 1')
    const visible = await load(reader, 1)()

    expect(heard.invalidated).toEqual([['hot', 'hot:1']])
    expect(heard.settledTags).toEqual([])
    expect(await cache.read('hot:1', load(reader, 1))).toBe(visible)
    expect(cache.values.has('hot:1')).toBe(false)
    await mutant.read('hot:1', load(reader, 1))
    // Who subscribes now is bound by it too.
    const late = new FeedRecorder()
    feed.subscribe(late)
    expect(late.invalidated).toEqual([['hot', 'hot:1']])
    expect(feed.status().unsettled).toBe(1)
    // The bound holds all the while: whatever is visible has been told.
    await feed.settled(1)
    expect(feed.status().state).toBe('live')

    await holdCommits(admin, false)
    await done
    await feed.settled(10_000)
    expect(heard.settledTags).toEqual([['hot', 'hot:1']])
    expect(late.settledTags).toEqual([['hot', 'hot:1']])
    expect(await cache.read('hot:1', load(reader, 1))).toBe(visible + 1)
    expect(cache.values.get('hot:1')).toBe(visible + 1)
    expect(visible).toBeGreaterThanOrEqual(before)
    // What the contract is for: without settling the old row stays.
    expect(mutant.values.get('hot:1')).toBe(visible)
  })

  /**
   * The way there: the slot first waits for the writer A, then for B, which began meanwhile. A transaction that begins
   * while it waits for B, and is in the log and invisible when B ends, lies before the slot's starting point.
   */
  test('an epoch does not begin before readers see all that was committed before it', async () => {
    const [admin, a, b, late, reader] = await Promise.all(Array.from({ length: 5 }, () => sessions.open()))
    const [open, rollback] = ['BEGIN; INSERT INTO started VALUES (-1)', 'ROLLBACK']
    const pidOf = async (client: pg.Client): Promise<number> =>
      (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
    const first = postgresFeed({ connectionString: server.url, tables: ['started'] })
    const heard = new FeedRecorder()
    first.subscribe(heard)
    await first.ready()
    await a!.query(open)
    const warnings = new Warnings()
    feed = postgresFeed({ connectionString: server.url, tables: ['started'], logger: warnings })
    const whole = feed.ready().then(() => 'ready')
    await warnings.next(new RegExp(`process ${await pidOf(a!)} `))
    await b!.query(open.replace('-1', '-2'))
    await a!.query(rollback)
    await warnings.next(new RegExp(`process ${await pidOf(b!)} `))
    await holdCommits(admin!, true)
    const { done } = await heldCommit(late!, heard, 'INSERT INTO started SELECT coalesce(max(id), 0) + 1 FROM started')
    const count = async (): Promise<number> => (await reader!.query('SELECT count(*)::int AS n FROM started')).rows[0].n
    const visible = await count()
    await b!.query(rollback)
    expect(await Promise.race([whole, warnings.next(/in the log and not visible yet/)])).toMatch(/not visible/)
    expect(feed.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
    expect(await count()).toBe(visible)
    await holdCommits(admin!, false)
    await Promise.all([done, whole])
    expect(await count()).toBe(visible + 1)
    await first.close()
  })

  test('hot keys under writes end fresh; the mutant that does not settle keeps stale ones', async () => {
    const writers = await Promise.all([sessions.open(), sessions.open(), sessions.open(), sessions.open()])
    const readers = sessions.pool(4)
    feed = postgresFeed({ connectionString: server.url, tables: ['hot'] })
    feed.subscribe(new FeedRecorder())
    await feed.ready()

    const askUntilKept = async (cache: TinyCache, key: string): Promise<void> => {
      const query = load(readers, Number(key.slice(4)))
      for (let attempt = 0; attempt < 10 && !cache.values.has(key); attempt++) await cache.read(key, query)
    }
    const round = async (cache: TinyCache, reads: Promise<void>[]): Promise<number> => {
      const write = (writer: pg.Client, index: number): Promise<unknown> =>
        writer.query('UPDATE hot SET n = n + 1 WHERE id % 4 = $1', [index])
      await Promise.all(writers.map(write))
      expect(await feed.reached(await positionOf(writers[0]!), 10_000)).toBe(true)
      await Promise.all(reads.splice(0))
      const { rows } = await readers.query('SELECT id, n FROM hot')
      return rows.filter(({ id, n }) => cache.values.has(`hot:${id}`) && cache.values.get(`hot:${id}`) !== n).length
    }
    const play = async (cache: TinyCache, last: (stale: number, rounds: number) => boolean): Promise<number[]> => {
      const reads: Promise<void>[] = []
      // The worst moment: a reader asks as soon as the announcement is there.
      cache.onInvalidate = (key) => void (key.startsWith('hot:') && reads.push(askUntilKept(cache, key)))
      const leave = feed.subscribe(cache)
      let [stale, rounds] = [0, 0]
      do {
        stale += await round(cache, reads)
      } while (!last(stale, ++rounds))
      leave()
      return [stale, rounds]
    }
    // Until the mutant is caught; the real thing then gets as many rounds, and more.
    const [caught, rounds] = await play(new TinyCache(false), (stale, played) => stale > 0 || played === 400)
    expect(caught).toBeGreaterThan(0)
    const cache = new TinyCache(true)
    const [stale] = await play(cache, (_, played) => played > 60 && played > rounds!)
    expect(stale).toBe(0)
    expect(cache.stored).toBeGreaterThan(1000)
    await readers.end()
  })
})
