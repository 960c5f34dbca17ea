/**
 * A small shop and the queries that it asks: for measuring, against a real server, whether a write voids each answer that it
 * changes, and how many of the others are kept.
 */
import { type Random, seededRandom } from '../../../core/random.ts'
import type { Queryable } from '../client.ts'

/** REPLICA IDENTITY of the tables: how much the stream says of old rows. */
export type Identity = 'FULL' | 'DEFAULT'

export const SCHEMA = `
  CREATE TABLE users (id int PRIMARY KEY, tenant int NOT NULL, name text, status text, last_seen timestamptz);
  CREATE TABLE orders (id int PRIMARY KEY, tenant int NOT NULL, user_id int, status text, price numeric(10,2), day date, paid bool);
  CREATE TABLE items (order_id int, at int, sku text, quantity int, PRIMARY KEY (order_id, at));
  CREATE VIEW open_orders AS SELECT o.id, o.tenant AS shop, o.price, u.name FROM orders o JOIN users u ON u.id = o.user_id WHERE o.status = 'open';
  CREATE VIEW busy AS SELECT tenant, count(*) AS orders FROM orders GROUP BY tenant`

export const TABLES = ['users', 'orders', 'items'] as const

const TENANTS = 12
const USERS = 60
const ORDERS = 200
const STATUSES = ['open', 'paid', 'sent', 'void']

/** How precise a shape is expected to be. */
export type Precision = 'equality' | 'range' | 'view' | 'table'

export interface Shape {
  readonly name: string
  readonly precision: Precision
  readonly sql: string
  parameters(random: Random): unknown[]
}

const pick = (random: Random, count: number): number => Math.floor(random() * count)
const tenant = (random: Random) => pick(random, TENANTS)
const user = (random: Random) => pick(random, USERS)
const order = (random: Random) => pick(random, ORDERS)
const status = (random: Random) => STATUSES[pick(random, STATUSES.length)]!
const day = (random: Random) => `2026-0${1 + pick(random, 9)}-1${pick(random, 10)}`

export const SHAPES: readonly Shape[] = [
  { name: 'by key', precision: 'equality', sql: 'SELECT * FROM orders WHERE id = $1', parameters: (r) => [order(r)] },
  {
    name: 'count',
    precision: 'equality',
    sql: 'SELECT count(*) FROM orders WHERE tenant = $1 AND status = $2',
    parameters: (r) => [tenant(r), status(r)],
  },
  {
    name: 'sum',
    precision: 'equality',
    sql: 'SELECT sum(price) FROM orders WHERE user_id = $1 AND paid',
    parameters: (r) => [user(r)],
  },
  {
    name: 'in',
    precision: 'equality',
    sql: 'SELECT id, name FROM users WHERE id IN ($1, $2, 7) ORDER BY id',
    parameters: (r) => [user(r), user(r)],
  },
  {
    name: 'any',
    precision: 'equality',
    sql: 'SELECT id, price FROM orders WHERE id = ANY($1::int[]) ORDER BY id',
    parameters: (r) => [[order(r), order(r), order(r)]],
  },
  {
    name: 'group',
    precision: 'equality',
    sql: 'SELECT status, count(*), max(price) FROM orders WHERE tenant = $1 GROUP BY status ORDER BY status',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'top',
    precision: 'equality',
    sql: 'SELECT id FROM orders WHERE tenant = $1 ORDER BY price DESC, id LIMIT 3',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'join',
    precision: 'equality',
    sql: 'SELECT o.id, u.name FROM orders o JOIN users u ON u.id = o.user_id AND u.tenant = $1 WHERE o.tenant = $1 AND o.status = $2 ORDER BY o.id',
    parameters: (r) => [tenant(r), status(r)],
  },
  {
    name: 'left join',
    precision: 'equality',
    sql: 'SELECT o.id, i.sku FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.order_id = $1 WHERE o.id = $1 ORDER BY i.at',
    parameters: (r) => [order(r)],
  },
  {
    name: 'not exists',
    precision: 'equality',
    sql: 'SELECT id FROM users u WHERE tenant = $1 AND NOT EXISTS (SELECT FROM orders o WHERE o.user_id = u.id AND o.tenant = $1) ORDER BY id',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'with',
    precision: 'equality',
    sql: 'WITH mine AS (SELECT id, price FROM orders WHERE tenant = $1 AND paid = true) SELECT count(*), avg(price) FROM mine',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'union',
    precision: 'equality',
    sql: 'SELECT id FROM orders WHERE user_id = $1 UNION ALL SELECT id FROM users WHERE id = $1 ORDER BY 1',
    parameters: (r) => [user(r)],
  },
  {
    name: 'window',
    precision: 'equality',
    sql: 'SELECT id, rank() OVER (ORDER BY price, id) FROM orders WHERE tenant = $1 ORDER BY id',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'sub-select',
    precision: 'equality',
    sql: 'SELECT s.id FROM (SELECT id, tenant AS shop FROM orders WHERE paid) s WHERE s.shop = $1 ORDER BY s.id',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'price range',
    precision: 'range',
    sql: 'SELECT id FROM orders WHERE price BETWEEN $1 AND $2 ORDER BY id',
    parameters: (r) => {
      const low = pick(r, 90)
      return [low, low + 5]
    },
  },
  {
    name: 'range of a tenant',
    precision: 'range',
    sql: 'SELECT id FROM orders WHERE tenant = $1 AND price >= $2 AND price < 60 ORDER BY id',
    parameters: (r) => [tenant(r), 50 + pick(r, 9)],
  },
  {
    name: 'days',
    precision: 'range',
    sql: 'SELECT count(*) FROM orders WHERE day >= $1 AND day < $2',
    parameters: (r) => {
      const from = day(r)
      return [from, `${from.slice(0, 8)}28`]
    },
  },
  {
    name: 'view',
    precision: 'view',
    sql: 'SELECT id, price FROM open_orders WHERE shop = $1 ORDER BY id',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'view of groups',
    precision: 'view',
    sql: 'SELECT orders FROM busy WHERE tenant = $1',
    parameters: (r) => [tenant(r)],
  },
  {
    name: 'or',
    precision: 'table',
    sql: 'SELECT count(*) FROM orders WHERE tenant = $1 OR status = $2',
    parameters: (r) => [tenant(r), status(r)],
  },
  {
    name: 'is null',
    precision: 'table',
    sql: 'SELECT u.id FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL ORDER BY u.id',
    parameters: () => [],
  },
]

export async function fillWorld(client: Queryable, identity: Identity): Promise<void> {
  await client.query(SCHEMA)
  await client.query(`
    SELECT setseed(0.5);
    INSERT INTO users SELECT i, i % ${TENANTS}, 'u' || i, 'on', now() FROM generate_series(0, ${USERS - 1}) i;
    INSERT INTO orders SELECT i, (i % ${USERS}) % ${TENANTS}, i % ${USERS}, (ARRAY['open','paid','sent','void'])[1 + i % 4], (random() * 100)::numeric(10,2),
      date '2026-01-01' + i, i % 3 = 0 FROM generate_series(0, ${ORDERS - 1}) i;
    INSERT INTO items SELECT i, n, 'sku' || (i * n) % 17, n FROM generate_series(0, ${ORDERS - 1}) i, generate_series(1, 2) n`)
  for (const table of TABLES) await client.query(`ALTER TABLE ${table} REPLICA IDENTITY ${identity}`)
}

/** A random write, as SQL. */
export function randomWrite(random: Random): string {
  const kinds: (() => string)[] = [
    () => `UPDATE orders SET price = ${(random() * 100).toFixed(2)} WHERE id = ${order(random)}`,
    () => `UPDATE orders SET status = '${status(random)}' WHERE id = ${order(random)}`,
    () =>
      `UPDATE orders SET tenant = ${tenant(random)}, user_id = ${random() < 0.2 ? 'NULL' : user(random)} WHERE id = ${order(random)}`,
    () => `UPDATE orders SET paid = NOT paid, day = '${day(random)}' WHERE id = ${order(random)}`,
    () => `UPDATE users SET last_seen = now() WHERE id = ${user(random)}`,
    () => `UPDATE users SET name = 'n${pick(random, 1000)}' WHERE id = ${user(random)}`,
    () => `UPDATE users SET tenant = ${tenant(random)} WHERE id = ${user(random)}`,
    () => `DELETE FROM orders WHERE id = ${order(random)}`,
    () =>
      `INSERT INTO orders VALUES (${order(random)}, ${tenant(random)}, ${user(random)}, '${status(random)}', ${(random() * 100).toFixed(2)}, '${day(random)}', true) ON CONFLICT (id) DO UPDATE SET price = EXCLUDED.price`,
    () => `UPDATE items SET quantity = quantity + 1 WHERE order_id = ${order(random)}`,
    () => `DELETE FROM items WHERE order_id = ${order(random)} AND at = 1`,
    () =>
      `UPDATE orders SET id = id + 1000 WHERE id = ${order(random)} AND NOT EXISTS (SELECT FROM orders o WHERE o.id = orders.id + 1000)`,
  ]
  return kinds[pick(random, kinds.length)]!()
}

export { seededRandom }
