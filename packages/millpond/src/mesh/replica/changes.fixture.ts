/** What all changes of all peers come to: the judge of histories. */
import type { MapState } from './map-state.ts'

interface Moment {
  readonly version: number
  readonly origin: number
}

interface Change extends Moment {
  readonly value: unknown
  readonly deleted: boolean
}

/** For each key the last change by version and peer, unless the map was cleared later. */
export class Changes {
  readonly #last = new Map<string, Change>()
  /** Without what lives for some time only. */
  readonly #lasting = new Map<string, Change>()
  #cleared: Moment = { version: 0, origin: 0 }

  /** After a set. `expires`: its life has ended when the content is asked for. */
  set(map: MapState, key: string, value: unknown, expires = false): void {
    if (!expires) this.#note(map, key, value, false)
    else this.#noteIn(this.#last, map, key, { value, deleted: true })
  }

  delete(map: MapState, key: string, run: () => boolean): void {
    if (run()) this.#note(map, key, undefined, true)
  }

  clear(map: MapState, run: () => void): void {
    const held = [...map.keys()]
    run()
    const { version, origin } = map.ledger.mark
    if (isLater({ version, origin }, this.#cleared)) this.#cleared = { version, origin }
    // The changes of a clock that is ahead were deleted one by one.
    for (const key of held) if (map.ledger.find(key)) this.#note(map, key, undefined, true)
  }

  /** Whether a key may have this value, when all lives have ended. */
  allows(key: string, value: unknown): boolean {
    if (this.content()[key] === value) return true
    // The last change has expired. Who never heard of it, because it was made without knowledge of the one before, keeps that.
    return this.#last.get(key) !== this.#lasting.get(key) && this.#contentOf(this.#lasting)[key] === value
  }

  content(): Record<string, unknown> {
    return this.#contentOf(this.#last)
  }

  #contentOf(changes: Map<string, Change>): Record<string, unknown> {
    const standing = [...changes].filter(([, change]) => !change.deleted && isLater(change, this.#cleared))
    return Object.fromEntries(standing.map(([key, { value }]) => [key, value]))
  }

  #note(map: MapState, key: string, value: unknown, deleted: boolean): void {
    const what = { value, deleted }
    for (const changes of [this.#last, this.#lasting]) this.#noteIn(changes, map, key, what)
  }

  #noteIn(changes: Map<string, Change>, map: MapState, key: string, what: { value: unknown; deleted: boolean }): void {
    const { version, origin } = map.ledger.find(key)!
    const known = changes.get(key)
    if (!known || isLater({ version, origin }, known)) changes.set(key, { version, origin, ...what })
  }
}

function isLater(one: Moment, other: Moment): boolean {
  return one.version > other.version || (one.version === other.version && one.origin > other.origin)
}
