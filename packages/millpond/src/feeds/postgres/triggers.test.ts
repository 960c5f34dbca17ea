import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions, TcpProxy } from '../../../../../tools/servers/postgres-probe.ts'
import { dropNotifyTriggersSql, notifyTriggersSql, type PostgresFeed, positionOf, postgresFeed } from './index.ts'

describe.each(['system', 'embedded'] as const)(
  'a feed of triggers, on a server without logical decoding (%s)',
  (binaries) => {
    let server: PostgresServer
    let sessions: Sessions
    let writer: pg.Client
    let feed: PostgresFeed
    let heard: FeedRecorder

    beforeAll(async () => {
      server = await startPostgres({ binaries, settings: { wal_level: 'replica' } })
      sessions = new Sessions(server)
      writer = await sessions.open()
    })
    afterAll(async () => {
      await sessions?.end()
      await server?.destroy()
    })
    afterEach(() => feed?.close())

    async function listen(tables: string[], url = server.url): Promise<void> {
      await writer.query(notifyTriggersSql(tables))
      feed = postgresFeed({ connectionString: url, tables, mode: 'triggers' })
      heard = new FeedRecorder()
      feed.subscribe(heard)
      await feed.ready()
    }

    async function tagsOf(...statements: string[]): Promise<string[][]> {
      await writer.query('SELECT pg_logical_emit_message(true, $1, $2)', ['test', ''])
      expect(await feed.reached(await positionOf(writer), 10_000)).toBe(true)
      heard.clear()
      for (const statement of statements) await writer.query(statement)
      await writer.query('SELECT pg_logical_emit_message(true, $1, $2)', ['test', ''])
      expect(await feed.reached(await positionOf(writer), 10_000)).toBe(true)
      // Notified means visible: each is settled at once.
      expect(heard.events.map((event) => event.kind)).toEqual(heard.invalidated.flatMap(() => ['invalidate', 'settle']))
      return heard.invalidated.map((tags) => [...tags])
    }

    test('every statement that changes a table voids the table and all its rows, once a transaction', async () => {
      await writer.query(
        'CREATE SCHEMA shop; CREATE TABLE plain (id int PRIMARY KEY); CREATE TABLE shop.items (id int)',
      )
      await listen(['plain', 'shop.items'])
      const all = ['plain', 'plain:*']
      expect(
        await tagsOf('INSERT INTO plain VALUES (1)', 'UPDATE plain SET id = 2', 'DELETE FROM plain', 'TRUNCATE plain'),
      ).toEqual([all, all, all, all])
      expect(await tagsOf('INSERT INTO shop.items VALUES (1), (1)')).toEqual([['shop.items', 'shop.items:*']])
      expect(await tagsOf('BEGIN', 'INSERT INTO plain VALUES (1)', 'UPDATE plain SET id = 7', 'COMMIT')).toEqual([
        [...all],
      ])
      expect(await tagsOf('BEGIN', 'INSERT INTO plain VALUES (9)', 'ROLLBACK')).toEqual([])
      expect(feed.covers('plain:17')).toBe('plain:*')
      expect(feed.covers('other')).toBeUndefined()
    })

    test('cascades, COPY and changes that come by replication count', async () => {
      await writer.query(`CREATE TABLE up (id int PRIMARY KEY); CREATE TABLE down (id int REFERENCES up ON DELETE CASCADE);
      INSERT INTO up VALUES (1); INSERT INTO down VALUES (1)`)
      await listen(['up', 'down'])
      expect(new Set((await tagsOf('DELETE FROM up')).flat())).toEqual(new Set(['up', 'up:*', 'down', 'down:*']))
      expect(await tagsOf(`COPY up FROM PROGRAM 'echo 5'`)).toEqual([['up', 'up:*']])
      expect(
        await tagsOf('BEGIN', 'SET LOCAL session_replication_role = replica', 'INSERT INTO up VALUES (6)', 'COMMIT'),
      ).toEqual([['up', 'up:*']])
      expect(new Set((await tagsOf('TRUNCATE up CASCADE')).flat())).toEqual(new Set(['up', 'up:*', 'down', 'down:*']))
    })

    test('a partition and the tables above it void each other', async () => {
      await writer.query(`CREATE TABLE parted (id int) PARTITION BY RANGE (id);
      CREATE TABLE part_one PARTITION OF parted FOR VALUES FROM (0) TO (10)`)
      await listen(['parted', 'part_one'])
      const both = new Set(['parted', 'parted:*', 'part_one', 'part_one:*'])
      expect(new Set((await tagsOf('INSERT INTO parted VALUES (1)')).flat())).toEqual(both)
      expect(new Set((await tagsOf('INSERT INTO part_one VALUES (2)')).flat())).toEqual(both)
    })

    test('a notification that comes before the feed has begun does no harm', async () => {
      await writer.query('CREATE TABLE early (id int)')
      const { default: driver } = await import('pg')
      class Hurried extends driver.Client {
        override query(text: never): never {
          const answer = super.query(text) as unknown as Promise<unknown>
          if (!String(text).includes('LISTEN')) return answer as never
          // The answer reaches the feed only after a notification has.
          const listened = async (): Promise<unknown> => {
            const result = await answer
            const notified = new Promise<void>((resolve) => this.on('notification', () => resolve()))
            await writer.query('INSERT INTO early VALUES (1)')
            await notified
            return result
          }
          return listened() as never
        }
      }
      await writer.query(notifyTriggersSql(['early']))
      feed = postgresFeed({
        connectionString: server.url,
        tables: ['early'],
        mode: 'triggers',
        client: Hurried as never,
      })
      heard = new FeedRecorder()
      feed.subscribe(heard)
      await feed.ready()
      expect(heard.events.map(({ kind }) => kind)).toEqual(['invalidate', 'settle', 'reset'])
      expect(await tagsOf('INSERT INTO early VALUES (2)')).toEqual([['early', 'early:*']])
    })

    test('missing triggers are refused with the SQL, and so is a table of which one was taken off', async () => {
      await writer.query('CREATE TABLE silent (id int)')
      feed = postgresFeed({ connectionString: server.url, tables: ['silent'], mode: 'triggers' })
      await expect(feed.ready()).rejects.toThrow(
        /silent has no notify triggers.*CREATE OR REPLACE FUNCTION millpond_notify/s,
      )
      await writer.query(notifyTriggersSql(['silent']))
      await writer.query(notifyTriggersSql(['silent']))
      await feed.ready()
      await feed.close()
      await writer.query(dropNotifyTriggersSql(['silent']))
      feed = postgresFeed({ connectionString: server.url, tables: ['silent'], mode: 'triggers' })
      await expect(feed.ready()).rejects.toThrow(/silent has no notify triggers/)
    })

    test('positions: a write is included once a heartbeat that began after it is back', async () => {
      await writer.query('CREATE TABLE placed (id int)')
      await listen(['placed'])
      for (let round = 0; round < 5; round++) {
        heard.clear()
        await writer.query('INSERT INTO placed VALUES (1)')
        expect(await feed.reached(await positionOf(writer), 10_000)).toBe(true)
        expect(heard.invalidated).toHaveLength(1)
      }
      expect(feed.includes('1/1/0/0')).toBe(false)
      expect(feed.status()).toMatchObject({ mode: 'triggers', state: 'live', slot: undefined, publication: undefined })
    })

    test('a lost connection begins a new epoch, a dead one in time', async () => {
      await writer.query('CREATE TABLE lossy (id int)')
      const proxy = await TcpProxy.to(server.port)
      await listen(['lossy'], server.url.replace(String(server.port), String(proxy.port)))
      heard.clear()
      proxy.cut()
      await heard.until(() => heard.resets.some((reason) => reason.startsWith('epoch')))
      await feed.ready()
      expect(await tagsOf('INSERT INTO lossy VALUES (1)')).toEqual([['lossy', 'lossy:*']])
      proxy.stall()
      const before = performance.now()
      await writer.query('INSERT INTO lossy VALUES (2)')
      // Nothing after the wire went dead is ever proven.
      expect(feed.freshAsOfMs()).toBeLessThan(before)
      await feed.close()
      await proxy.close()
    })

    test('it notifies after the commit is visible: a reader that asks then sees it', async () => {
      await writer.query('CREATE TABLE seen (id int PRIMARY KEY, n int); INSERT INTO seen VALUES (1, 0)')
      await listen(['seen'])
      const reader = await sessions.open()
      const writers = await Promise.all([sessions.open(), sessions.open()])
      for (let n = 1; n <= 200; n++) {
        heard.clear()
        const write = writers[n % 2]!.query('UPDATE seen SET n = $1', [n])
        await heard.until(() => heard.settledTags.length > 0)
        expect((await reader.query('SELECT n FROM seen')).rows).toEqual([{ n }])
        await write
      }
    })
  },
)
