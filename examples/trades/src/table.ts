/** Makes the table of trades and fills it, the same trades each time. */
import type { Client } from 'pg'

export const SYMBOLS = ['MILL', 'POND', 'WEIR', 'RACE', 'SLUICE', 'WHEEL', 'STONE', 'GRIST']

/** By this comment a later run knows the table for its own. */
const MARK = 'trades of the Millpond example'
const ROWS_PER_INSERT = 25_000

export interface FillOptions {
  rows: number
  /** Called with the number of rows that are there. */
  progress?: (rows: number) => void
  signal?: AbortSignal
}

/** Fills the table up to `rows`, after making it where there is none. Throws where `trades` is somebody else's table. */
export async function fillTable(client: Client, { rows, progress, signal }: FillOptions): Promise<void> {
  await makeTable(client)
  let present = await countRows(client)
  await client.query('SELECT setseed(0.5)')
  while (present < rows) {
    signal?.throwIfAborted()
    const until = Math.min(rows, present + ROWS_PER_INSERT)
    await client.query(INSERT, [SYMBOLS, present + 1, until, rows])
    present = until
    progress?.(present)
  }
  signal?.throwIfAborted()
  await client.query('CREATE INDEX IF NOT EXISTS trades_symbol_side ON trades (symbol, side)')
  await client.query('VACUUM (ANALYZE) trades')
}

/** Numbers $2 to $3 of $4 trades, one a second until now; each symbol has its price, which rises and falls. */
const INSERT = `
  INSERT INTO trades (symbol, side, price, quantity, traded_at)
  SELECT ($1::text[])[pick],
         CASE WHEN random() < 0.5 THEN 'buy' ELSE 'sell' END,
         round((20 * pick + 5 * sin(number / 20000.0) + random())::numeric, 2),
         1 + floor(random() * 1000)::int,
         now() - make_interval(secs => $4::int - number)
    FROM (SELECT number, 1 + floor(random() * cardinality($1::text[]))::int AS pick
            FROM generate_series($2::int, $3::int) AS number) AS drawn`

async function makeTable(client: Client): Promise<void> {
  const { rows } = await client.query(
    "SELECT to_regclass('public.trades') AS found, obj_description(to_regclass('public.trades')) AS comment",
  )
  const { found, comment } = rows[0]
  if (found === null) {
    await client.query(`
      BEGIN;
      CREATE TABLE trades (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        symbol text NOT NULL,
        side text NOT NULL CHECK (side IN ('buy', 'sell')),
        price numeric(12, 2) NOT NULL CHECK (price > 0),
        quantity integer NOT NULL CHECK (quantity > 0),
        traded_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON TABLE trades IS '${MARK}';
      COMMIT`)
  } else if (comment !== MARK) {
    throw new Error(
      'this database has a table trades that the example did not make; give DATABASE_URL another database',
    )
  }
}

async function countRows(client: Client): Promise<number> {
  const { rows } = await client.query('SELECT count(*)::int AS present FROM trades')
  return rows[0].present
}
