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
  #cleared: Moment = { version: 0, origin: 0 }

  /** After a set. */
  set(map: MapState, key: string, value: unknown): void {
    this.#note(map, key, value, false)
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

  content(): Record<string, unknown> {
    const standing = [...this.#last].filter(([, change]) => !change.deleted && isLater(change, this.#cleared))
    return Object.fromEntries(standing.map(([key, { value }]) => [key, value]))
  }

  #note(map: MapState, key: string, value: unknown, deleted: boolean): void {
    const { version, origin } = map.ledger.find(key)!
    const known = this.#last.get(key)
    if (!known || isLater({ version, origin }, known)) this.#last.set(key, { version, origin, value, deleted })
  }
}

function isLater(one: Moment, other: Moment): boolean {
  return one.version > other.version || (one.version === other.version && one.origin > other.origin)
}
