import type { Duration } from '../../core/duration.ts'
import { ClosedError, KeyError, MeshError } from '../../core/errors.ts'
import type { Sync } from '../replica/map-mode.ts'
import type { MapState } from '../replica/map-state.ts'
import type { MapEvents } from './map-events.ts'
import { lifeOf, type WholeMapOptions } from './map-options.ts'
import { type MapStats, statsOf } from './map-stats.ts'

/** What a map asks of its mesh. */
export interface MapMesh {
  readonly isClosed: boolean
  /** Resolves when every peer that is alive and keeps up has acknowledged what the map has to tell now. */
  settled(map: MapState): Promise<void>
}

/** Where Node looks when it prints an object. @internal */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/**
 * A `Map` with text keys that every process of the mesh has: reads and writes are local and synchronous, and changes reach the
 * others behind. Made by `mesh.map`. What each peer holds is said by `sync`.
 *
 * Values are what `structuredClone` takes without functions, errors and instances of classes; they are frozen when they
 * enter, and bytes are copied for each reader. Entries are iterated in no particular order.
 */
export class MeshMap<V> implements Map<string, V> {
  readonly name: string
  readonly sync: Sync
  readonly #state: MapState
  readonly #options: WholeMapOptions
  readonly #mesh: MapMesh

  /** @internal */
  constructor(state: MapState, options: WholeMapOptions, mesh: MapMesh) {
    this.name = state.name
    this.sync = state.mode.sync
    this.#state = state
    this.#options = options
    this.#mesh = mesh
  }

  /** How many entries are held here. Those that have expired and were not yet collected count. */
  get size(): number {
    return this.#state.size
  }

  /** The value that is held here. A use: it counts for eviction. */
  get(key: string): V | undefined {
    return typeof key === 'string' ? (this.#state.get(key) as V | undefined) : undefined
  }

  /** Whether a value is held here. Leaves no trace. */
  has(key: string): boolean {
    return typeof key === 'string' && this.#state.has(key)
  }

  /**
   * Sets a value, here at once and at the peers behind. The object is frozen.
   *
   * @param options `ttl`: how long it lives, in place of the map's
   * @throws KeyError (`ERR_KEY`) for what is no text, or one of more than 2,000 characters
   * @throws ValueError (`ERR_VALUE`) for a value without an encoding, or of more bytes than the mesh carries
   * @throws MeshError (`ERR_MESH`) when `maxUnsent` keys wait to be sent
   * @throws ClosedError (`ERR_CLOSED`) after `mesh.leave()`
   * Nothing was changed then.
   */
  set(key: string, value: V, options?: { readonly ttl?: Duration }): this {
    this.#check(key)
    const lifeMs = options === undefined ? this.#options.lifeMs : (lifeOf(options.ttl) ?? this.#options.lifeMs)
    this.#state.set(key, value, lifeMs)
    return this
  }

  /** Deletes a key on every peer. Returns whether it was held here. Throws as `set`. */
  delete(key: string): boolean {
    this.#check(key)
    return this.#state.delete(key)
  }

  /** Deletes every key on every peer. Throws as `set`. */
  clear(): void {
    this.#check('')
    this.#state.clear()
  }

  /** The entries that are held here. What is changed meanwhile may be seen or not. */
  *entries(): MapIterator<[string, V]> {
    for (const [key, entry] of this.#state.entries()) yield [key, this.#state.read(entry) as V]
  }

  *keys(): MapIterator<string> {
    yield* this.#state.keys()
  }

  *values(): MapIterator<V> {
    for (const [, entry] of this.#state.entries()) yield this.#state.read(entry) as V
  }

  /** As `entries`. */
  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  forEach(run: (value: V, key: string, map: Map<string, V>) => void, self?: unknown): void {
    for (const [key, value] of this.entries()) run.call(self, value, key, this)
  }

  get [Symbol.toStringTag](): string {
    return 'MeshMap'
  }

  /** Listens to what happens to keys. Returns what stops it. Also on the channels `millpond:mesh:<name>` of `node:diagnostics_channel`. */
  on<Name extends keyof MapEvents>(name: Name, listen: (event: MapEvents[Name]) => void): () => void {
    return this.#state.events.on(name, listen)
  }

  /** Resolves when every peer that is alive and keeps up has acknowledged what was written here until now. */
  settled(): Promise<void> {
    return this.#mesh.settled(this.#state)
  }

  /** How much waits to be sent, of what may wait: 0 is nothing, 1 is `maxUnsent` keys, and `set` throws. */
  get pressure(): number {
    return this.#state.unsent.size / this.#options.unsentMax
  }

  /** Counters since the map was made, and what it holds. */
  stats(): MapStats {
    return statsOf(this.#state)
  }

  #check(key: string): void {
    if (typeof key !== 'string') throw new KeyError(key, 'give a text')
    if (key.length > KEY_CHARACTERS_MAX) throw new KeyError(key, `give at most ${KEY_CHARACTERS_MAX} characters`)
    if (this.#mesh.isClosed) throw new ClosedError('the mesh')
    const { size } = this.#state.unsent
    if (size >= this.#options.unsentMax) {
      throw new MeshError(
        `map ${this.name}: ${size} changed keys wait to be sent; await map.settled(), or look at map.pressure`,
      )
    }
  }
}

const KEY_CHARACTERS_MAX = 2000

// Printed, a map is the `Map` of its entries. No method of the class: declarations that are made file by file know no names such as this.
Object.defineProperty(MeshMap.prototype, INSPECT, {
  value(this: MeshMap<unknown>) {
    return new Map(this)
  },
})
