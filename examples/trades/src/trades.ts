/** The table of trades, as SQL. Nothing here knows about a cache. */
import type pg from 'pg'

export type Side = 'buy' | 'sell'

export interface NewTrade {
  symbol: string
  side: Side
  price: number
  quantity: number
}

export interface Trade extends NewTrade {
  id: number
  tradedAt: string
}

/** All trades of one symbol and side in one row. Prices are `null` where there is no trade. */
export interface Summary {
  symbol: string
  side: Side
  trades: number
  quantity: number
  averagePrice: number | null
  lowestPrice: number | null
  highestPrice: number | null
  lastTradedAt: string | null
}

/**
 * The index on (symbol, side) finds the rows, 62,500 of a million; PostgreSQL still has to fetch and add up every one of them,
 * with exact decimal arithmetic. No index spares it that, which is what makes the answer worth keeping.
 */
const SUMMARY = `
  SELECT $1 AS symbol, $2 AS side,
         count(*)::int AS trades,
         coalesce(sum(quantity), 0)::float8 AS quantity,
         round(sum(price * quantity) / sum(quantity), 4)::float8 AS "averagePrice",
         min(price)::float8 AS "lowestPrice",
         max(price)::float8 AS "highestPrice",
         max(traded_at) AS "lastTradedAt"
    FROM trades WHERE symbol = $1 AND side = $2`

/** PostgreSQL keeps no count: it looks at every row that the asking transaction may see. */
const COUNT = 'SELECT count(*)::int AS trades FROM trades'

const INSERT = `
  INSERT INTO trades (symbol, side, price, quantity) VALUES ($1, $2, $3, $4)
  RETURNING id::int, symbol, side, price::float8, quantity, traded_at AS "tradedAt"`

/** All that the app asks. */
export const texts: ReadonlySet<string> = new Set([SUMMARY, COUNT, INSERT])

export class Trades {
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async summary(symbol: string, side: Side): Promise<Summary> {
    const { rows } = await this.#pool.query(SUMMARY, [symbol, side])
    return rows[0]
  }

  async count(): Promise<{ trades: number }> {
    const { rows } = await this.#pool.query(COUNT)
    return rows[0]
  }

  async insert({ symbol, side, price, quantity }: NewTrade): Promise<Trade> {
    const { rows } = await this.#pool.query(INSERT, [symbol, side, price, quantity])
    return rows[0]
  }
}
