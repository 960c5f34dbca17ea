/** Turns values into text and back: for stores, for journals and for `copy: 'serialize'`. Both may throw. */
export interface Codec {
  encode(value: unknown): string
  decode(text: string): unknown
}
