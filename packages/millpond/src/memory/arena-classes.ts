/**
 * The sizes of chunks that a page can be cut into. A page holds chunks of one size, so a freed chunk fits the next item
 * of its class exactly. Sizes are a page divided by a whole number: neighbours differ by at most an eighth (by 16 bytes
 * below 128), and no page has a rest.
 */
export class ArenaClasses {
  /** Bytes of a chunk, by class, from small to large. The last class is a whole page. */
  readonly sizes: readonly number[]
  /** Chunks in a page, by class. */
  readonly perPage: readonly number[]
  /** The class that is a quarter of a page: longer items are chains, so that no item wastes much of a page. */
  readonly quarter: number
  readonly #byUnits: Uint8Array

  constructor(pageBytes: number) {
    const sizes: number[] = []
    for (let bytes = SMALLEST_BYTES; bytes <= pageBytes / 4; bytes = nextSize(bytes, pageBytes)) sizes.push(bytes)
    this.quarter = sizes.length - 1
    sizes.push(pageBytes)
    this.sizes = sizes
    this.perPage = sizes.map((bytes) => Math.floor(pageBytes / bytes))
    this.#byUnits = new Uint8Array(pageBytes / 64 + 1)
    let found = 0
    for (let units = 0; units < this.#byUnits.length; units++) {
      while (sizes[found]! < units * 16) found++
      this.#byUnits[units] = found
    }
  }

  /** The smallest class with room for so many bytes, at most a quarter of a page. */
  fitting(bytes: number): number {
    return this.#byUnits[(bytes + 15) >>> 4]!
  }
}

const SMALLEST_BYTES = 32

function nextSize(bytes: number, pageBytes: number): number {
  if (bytes === pageBytes / 4) return pageBytes
  const grown = bytes < 128 ? bytes + 16 : bytes + (bytes >>> 3)
  const perPage = Math.max(4, Math.floor(pageBytes / grown))
  const fitted = Math.floor(pageBytes / perPage) & ~15
  return fitted > bytes ? fitted : bytes + 16
}
