/** What the stalls of the market sell, and what they tell of it. */

export const GOODS = ['tea', 'coffee', 'milk', 'bread', 'rice', 'honey', 'salt', 'oil'] as const

/** A price, and the stall that has set it. */
export interface Price {
  readonly cents: number
  readonly by: string
}

/** What a stall tells the picture. */
export type Told =
  /** It has joined, and holds so much before anybody has sent it anything. */
  | { readonly kind: 'ready'; readonly held: Readonly<Record<string, Price>>; readonly tookMs: number }
  /** A price is new in its memory. */
  | { readonly kind: 'price'; readonly good: string; readonly price: Price }
  /** It has stopped changing prices, and all others have its last one. */
  | { readonly kind: 'quiet'; readonly held: Readonly<Record<string, Price>>; readonly checksums: readonly string[] }

/** What a stall is told: to change prices, or to stop that. */
export type Command = 'trade' | 'quiet'
