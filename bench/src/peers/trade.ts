/** The value that every contender keeps: a small row, as a database client returns it. */
export interface Trade {
  readonly id: string
  readonly symbol: string
  readonly side: 'buy' | 'sell'
  readonly price: number
  readonly quantity: number
  readonly atMs: number
  /** 1, until the suite writes. */
  readonly version: number
}

export function trade(id: string, version = 1): Trade {
  return { id, symbol: 'MILL', side: 'buy', price: 12.5, quantity: 100, atMs: 1_760_000_000_000, version }
}
