import { loadModule, parseSync } from 'libpg-query'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../../../../../tools/servers/postgres-probe.ts'
import { type PostgresFeed, positionOf, postgresFeed } from '../index.ts'
import { type QueryShape, shapeOf } from './query-shape.ts'

/** Each of these was, or could have been, a stale answer. */
let server: PostgresServer
let sessions: Sessions
let client: pg.Client
let feed: PostgresFeed
let heard: FeedRecorder

const SCHEMA = `
  CREATE TABLE goods (id int PRIMARY KEY, price int, count int, total int GENERATED ALWAYS AS (price * count) STORED,
    name text, code char(4), at timestamp, made timestamptz, number oid, big bigint, amount numeric, owner name DEFAULT current_user);
  CREATE TABLE parts (id int PRIMARY KEY, goods_id int, name text);
  CREATE TABLE events (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  CREATE TABLE secrets (id int PRIMARY KEY, owner text, parts_id int);
  CREATE FUNCTION label(goods) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.name';
  CREATE VIEW cheap AS SELECT id AS number, name AS title, total FROM goods WHERE price < 100;
  ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
  CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
  CREATE POLICY own ON secrets USING (owner = current_user OR EXISTS (SELECT FROM parts p WHERE p.id = parts_id AND p.name = 'open'));
  CREATE TABLE parents (id int PRIMARY KEY); CREATE UNLOGGED TABLE children () INHERITS (parents)`
/** Not by TRUNCATE: the new files of the tables would void everything once more, a little later. */
const ROWS = `
  DELETE FROM goods; DELETE FROM parts; DELETE FROM events; DELETE FROM secrets;
  INSERT INTO goods (id, price, count, name, code, at, made, number, big, amount)
    SELECT i, i, i, 'n' || i, 'c' || i, '2026-01-01', '2026-01-01', i, i, i FROM generate_series(1, 9) i;
  INSERT INTO goods (id, name, code, number, big, made) VALUES (10, 'ab', 'ab', 4294967295, 4294967295, NULL);
  INSERT INTO parts SELECT i, i % 3, 'p' || i FROM generate_series(1, 9) i;
  INSERT INTO events SELECT i, date '2026-01-25' + i, 'e' FROM generate_series(1, 20) i;
  INSERT INTO secrets SELECT i, 'nobody', i FROM generate_series(1, 9) i`

beforeAll(async () => {
  await loadModule()
  server = await startPostgres()
  sessions = new Sessions(server)
  client = await sessions.open()
  await client.query(SCHEMA)
  for (const table of ['goods', 'parts', 'events_1', 'events_2', 'secrets'])
    await client.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`)
  feed = postgresFeed({ connectionString: server.url, tables: ['goods', 'parts', 'events', 'secrets'] })
  heard = new FeedRecorder()
  feed.subscribe(heard)
  await feed.ready()
})
afterAll(async () => {
  await feed?.close()
  await sessions?.end()
  await server?.destroy()
})
beforeEach(async () => {
  await client.query(ROWS)
  await feed.reached(await positionOf(client), 10_000)
})

describe('a write that changes the answer voids it', () => {
  test.each<[sql: string, parameters: unknown[], write: string]>([
    ['SELECT total FROM goods WHERE id = 1', [], 'UPDATE goods SET price = 7 WHERE id = 1'],
    ['SELECT id FROM goods WHERE total = 4', [], 'UPDATE goods SET price = 7 WHERE id = 2'],
    ['SELECT title, total FROM cheap WHERE number = $1', [3], 'UPDATE goods SET count = 7 WHERE id = 3'],
    ['SELECT g.label FROM goods g WHERE id = 1', [], "UPDATE goods SET name = 'x' WHERE id = 1"],
    ['SELECT g.to_json FROM goods g WHERE id = 1', [], "UPDATE goods SET name = 'x' WHERE id = 1"],
    // A parameter means what its first use says.
    ['SELECT id FROM goods WHERE code = $1 AND name = $1', ['ab  '], "UPDATE goods SET name = 'zz' WHERE id = 10"],
    [
      'SELECT id FROM goods WHERE at >= $1 AND made >= $1',
      ['2026-01-01 00:00:00+05'],
      "UPDATE goods SET made = '2025-12-31' WHERE id = 1",
    ],
    ['SELECT id FROM goods WHERE big = $1::oid', ['-1'], 'UPDATE goods SET big = 1 WHERE id = 10'],
    ['SELECT id FROM goods WHERE number = $1', ['-1'], 'UPDATE goods SET number = 1 WHERE id = 10'],
    ['SELECT id FROM goods WHERE name = $1', ['\ud800'], "UPDATE goods SET name = '\ufffd' WHERE id = 1"],
    ['SELECT id FROM goods WHERE id > $1', ['+5'], 'DELETE FROM goods WHERE id = 7'],
    ['SELECT id FROM goods WHERE amount > $1', ['1e0'], 'UPDATE goods SET amount = 20 WHERE id = 1'],
    ['SELECT id FROM goods WHERE amount >= $1', ['NaN'], "UPDATE goods SET amount = 'NaN' WHERE id = 1"],
    ['SELECT id FROM goods WHERE amount < 2', [], 'UPDATE goods SET amount = 1.9999999999999 WHERE id = 5'],
    ['SELECT id FROM goods WHERE made >= $1', ['infinity'], "UPDATE goods SET made = 'infinity' WHERE id = 5"],
    ['SELECT id FROM goods WHERE made > $1', ['2026-01-02Z'], "UPDATE goods SET made = '20000-01-01' WHERE id = 5"],
    [
      'SELECT id FROM goods WHERE made >= $1 ORDER BY id',
      [new Date('2026-01-02')],
      "UPDATE goods SET made = '2026-01-02Z' WHERE id = 5",
    ],
    // Names.
    [
      "SELECT id FROM goods g WHERE EXISTS (SELECT FROM (parts g JOIN parts p USING (id)) AS j WHERE g.name = 'n1')",
      [],
      "UPDATE goods SET name = 'n1' WHERE id = 5",
    ],
    ['SELECT id FROM goods WHERE EXISTS (SELECT FROM parts WHERE price = 5 AND goods_id = 1)', [], 'DELETE FROM parts'],
    [
      'SELECT j.y FROM (goods JOIN parts ON goods.id = parts.id) AS j (x, y) WHERE j.x = 1',
      [],
      'UPDATE goods SET price = 99 WHERE id = 1',
    ],
    [
      'SELECT j FROM (goods g JOIN parts p USING (id)) AS j WHERE id = 1',
      [],
      "UPDATE parts SET name = 'x' WHERE id = 1",
    ],
    ['SELECT count(g) FROM goods g WHERE g IS NOT NULL', [], 'UPDATE goods SET owner = NULL WHERE id = 1'],
    ['SELECT id FROM parts NATURAL JOIN goods', [], "UPDATE goods SET name = 'p1' WHERE id = 1"],
    ['SELECT goods_id FROM goods g LEFT JOIN parts p USING (id) WHERE id = 2', [], 'DELETE FROM parts WHERE id = 2'],
    // Partitions.
    ["SELECT id FROM events WHERE day = '2026-02-05'", [], "UPDATE events SET day = '2026-02-05' WHERE id = 1"],
    ['SELECT note FROM events WHERE id = 1', [], "UPDATE events_1 SET note = 'x' WHERE id = 1"],
    ['SELECT note FROM ONLY events_1 WHERE id = 1', [], "UPDATE events_1 SET note = 'x' WHERE id = 1"],
    ['SELECT count(*) FROM events WHERE id < 9', [], 'DELETE FROM events_2'],
    // Values of groups, nulls, lists.
    [
      'SELECT price, count(*) FROM goods WHERE id < 5 GROUP BY GROUPING SETS ((price), ()) ORDER BY 1',
      [],
      'DELETE FROM goods WHERE id = 4',
    ],
    ['SELECT count(*) FILTER (WHERE price > 3) FROM goods', [], 'UPDATE goods SET price = 9 WHERE id = 1'],
    ['SELECT id FROM goods WHERE id = ANY($1)', [[1, null, 2]], 'DELETE FROM goods WHERE id = 2'],
    ['SELECT id FROM goods WHERE id IN (1, NULL)', [], 'DELETE FROM goods WHERE id = 1'],
    ['SELECT id FROM goods WHERE (id, price) = (1, 1)', [], 'DELETE FROM goods WHERE id = 1'],
    [
      'SELECT s.id FROM (SELECT DISTINCT ON (price % 2) id, price FROM goods ORDER BY price % 2, id) s WHERE id < 5',
      [],
      'DELETE FROM goods WHERE id = 1',
    ],
  ])('%s %j: %s', async (sql, parameters, write) => {
    const { reasons, dependencies } = await shape(sql)
    if (reasons.length > 0) return
    const tags = dependencies.flatMap((dependency) => dependency.tags(parameters))
    const before = await answer(sql, parameters)
    heard.clear()
    await client.query(write)
    await feed.reached(await positionOf(client), 10_000)
    expect(await answer(sql, parameters), 'the write changes the answer').not.toBe(before)
    const voided = new Set(heard.invalidated.flat())
    expect(tags.some((tag) => voided.has(tag) || voided.has(feed.covers(tag)!))).toBe(true)
  })
})

test('row security: what a policy reads counts, where the role is known', async () => {
  const sql = 'SELECT count(*) FROM secrets'
  const { reasons, dependencies } = await shape(sql, true)
  expect(reasons).toEqual([])
  expect(dependencies.map(({ tableTag }) => tableTag).toSorted()).toEqual(['parts', 'secrets'])
  for (const write of [
    "UPDATE secrets SET owner = 'reader' WHERE id = 1",
    "UPDATE parts SET name = 'open' WHERE id = 3",
  ]) {
    const tags = dependencies.flatMap((dependency) => dependency.tags([]))
    heard.clear()
    await client.query(write)
    await feed.reached(await positionOf(client), 10_000)
    const voided = new Set(heard.invalidated.flat())
    expect(tags.some((tag) => voided.has(tag))).toBe(true)
  }
})

test.each<[sql: string, reason: RegExp]>([
  ['SELECT 1', /no table/],
  ['SELECT xmin FROM goods WHERE id = 1', /xmin changes/],
  ["SELECT id FROM goods WHERE made < '10:00 today'", /may mean the moment/],
  ["SELECT id FROM goods WHERE number = 'goods'::regclass", /regclass looks into the catalog/],
  ['SELECT * FROM parents', /changes are not told/],
  ['SELECT g.label FROM goods g', /function of a row/],
  ['SELECT id FROM goods WHERE nothing = $1', /does not take it: column "nothing" does not exist/],
])('not cached: %s', async (sql, reason) => {
  expect((await shape(sql)).reasons.join('; ')).toMatch(reason)
})

function shape(sql: string, byRole = false): Promise<QueryShape> {
  return shapeOf(sql, { parse: parseSync as never, client, feed, byRole })
}

async function answer(sql: string, parameters: unknown[]): Promise<string> {
  return JSON.stringify((await client.query(sql, parameters)).rows)
}
