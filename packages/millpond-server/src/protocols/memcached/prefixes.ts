/** What happened to keys by their prefix, up to a colon: `stats detail`. */

const COLON = 58
/** Prefixes beyond these are not told apart: somebody makes them up. */
const PREFIXES_MAX = 10_000

interface Counts {
  get: number
  hit: number
  set: number
  del: number
}

export class Prefixes {
  readonly #counts = new Map<string, Counts>()

  got(bytes: Buffer, start: number, end: number, hit: boolean): void {
    const counts = this.#of(bytes, start, end)
    if (counts === undefined) return
    counts.get++
    if (hit) counts.hit++
  }

  stored(bytes: Buffer, start: number, end: number): void {
    const counts = this.#of(bytes, start, end)
    if (counts) counts.set++
  }

  deleted(bytes: Buffer, start: number, end: number): void {
    const counts = this.#of(bytes, start, end)
    if (counts) counts.del++
  }

  clear(): void {
    this.#counts.clear()
  }

  /** A line for each prefix, and END. */
  get text(): string {
    let text = ''
    for (const [prefix, { get, hit, set, del }] of this.#counts) {
      text += `PREFIX ${prefix} get ${get} hit ${hit} set ${set} del ${del}\r\n`
    }
    return `${text}END\r\n`
  }

  #of(bytes: Buffer, start: number, end: number): Counts | undefined {
    const colon = bytes.indexOf(COLON, start)
    if (colon < 0 || colon >= end) return undefined
    const prefix = bytes.toString('latin1', start, colon)
    let counts = this.#counts.get(prefix)
    if (counts === undefined && this.#counts.size < PREFIXES_MAX) {
      counts = { get: 0, hit: 0, set: 0, del: 0 }
      this.#counts.set(prefix, counts)
    }
    return counts
  }
}
