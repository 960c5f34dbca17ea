/** What all databases of a cache lie in: one arena for keys and strings, and the collections that it refers to by number. */
import { type ArenaHandle, ArenaTable, type ArenaTableOptions, type ArenaThreadOptions } from 'millpond/memory'
import { POLICIES } from './eviction.ts'
import type { EngineTime } from './time.ts'
import type { Collection, ValueType } from './value.ts'
import { ElementsAhead } from './values/elements-ahead.ts'

/** Databases are spaces of the arena; the rest of its 32 are there so that a database can be emptied by taking a fresh one. */
const SPACES = 32

/** A key left by itself. `key` is a copy. */
export type LeftListener = (space: number, key: Uint8Array, reason: 'expire' | 'evict') => void

/** How the items of a cache are shared between threads: not at all, from this one by `share`, or another's, by what that returned. */
export type ItemSharing = 'own' | 'shareable' | ItemsHandle

/** What another thread needs to use the items of a cache: pass it in `workerData`. */
export interface ItemsHandle {
  readonly arena: ArenaHandle
  /** The space of each database. */
  readonly spaces: Int32Array
}

/**
 * Threads share keys and strings. Collections stay in the thread that made the items: another one sees that a key has one, may
 * remove it, and passes on by `onRelease` which that was.
 */
export class Items {
  readonly table: ArenaTable
  /** Called with the number of a collection that this thread has removed, if it is another's. */
  onRelease: (number: number) => void = (number) => this.release(number)
  /** Called when what the table weighs may have come above its bound. */
  onHeavy: () => void = () => {}
  readonly elementsAhead: ElementsAhead = new ElementsAhead()
  /** Collections by number; 0 is none. */
  readonly #collections: (Collection | undefined)[] = [undefined]
  /** What each weighed when the table was last told. */
  readonly #weights: number[] = [0]
  readonly #freeNumbers: number[] = []
  readonly #inUse = new Set<number>()
  readonly #emptying = new Set<number>()
  readonly #sharing: ItemSharing
  #spaces: Int32Array | undefined

  constructor(
    time: EngineTime,
    bytes: number,
    stripes: number | undefined,
    left: LeftListener,
    sharing: ItemSharing = 'own',
  ) {
    this.#sharing = sharing
    const thread: ArenaThreadOptions = {
      clock: time,
      policies: POLICIES,
      removals: ['expire', 'evict'],
      onRemove: (key, reason, space) => left(space, key, reason === 'expire' ? 'expire' : 'evict'),
      onRelease: (number) => this.onRelease(number),
    }
    if (typeof sharing === 'object') {
      this.#spaces = sharing.spaces
      this.table = ArenaTable.open(sharing.arena, thread)
      return
    }
    const options: ArenaTableOptions = {
      ...thread,
      maxWeight: bytes,
      spaces: SPACES,
      uses: true,
      expiries: true,
      own: sharing === 'own',
    }
    this.table = new ArenaTable(stripes === undefined ? options : { ...options, stripes })
    this.table.prepare()
  }

  /** Whether another thread has made them. */
  get areOthers(): boolean {
    return typeof this.#sharing === 'object'
  }

  /** From now on other threads may use them. */
  share(spaces: readonly number[]): ItemsHandle {
    this.#spaces ??= new Int32Array(new SharedArrayBuffer(SPACES * 4))
    this.#spaces.set(spaces)
    return { arena: this.table.share(), spaces: this.#spaces }
  }

  /** A database is another space now: the other threads are told. */
  publish(database: number, space: number): void {
    if (this.#spaces !== undefined) this.#spaces[database] = space
  }

  /** The space that a database is, in all threads; an empty one, where it is none yet. */
  spaceOf(database: number): number {
    return this.#spaces?.[database] ?? this.takeSpace()
  }

  /** An empty space. */
  takeSpace(): number {
    for (let tries = 0; tries < 2; tries++) {
      for (let space = 0; space < SPACES; space++) {
        if (this.#inUse.has(space) || (this.#emptying.has(space) && !this.#reclaim(space))) continue
        this.#inUse.add(space)
        return space
      }
      // All are being emptied, since somebody empties databases over and over: then it is done at once.
      this.table.sweep(Number.POSITIVE_INFINITY)
    }
    throw new RangeError(`a cache has at most ${SPACES} databases`)
  }

  /** Lets go of a space with all that is in it: by and by, or at once where nothing else is in the table. */
  giveSpace(space: number): void {
    const size = this.table.sizeOf(space)
    this.#inUse.delete(space)
    if (size === 0) return
    if (size === this.table.size && this.#spaces === undefined) {
      this.#collections.length = this.#weights.length = 1
      this.#freeNumbers.length = 0
      this.table.clearAtOnce()
      this.#emptying.clear()
      this.table.prepare()
      return
    }
    this.#emptying.add(space)
    this.table.abandon(space)
  }

  /** Whether databases that were emptied still hold something. */
  get leftOver(): number {
    let sum = 0
    for (const space of this.#emptying) if (!this.#reclaim(space)) sum += this.table.sizeOf(space)
    return sum
  }

  collection(number: number): Collection | undefined {
    return this.#collections[number]
  }

  /** What a key holds, by the number that the table has with it. Of another thread's collections it is not known which they are. */
  typeOf(number: number): ValueType {
    return number === 0 ? 'string' : (this.#collections[number]?.type ?? 'list')
  }

  /** A number for a collection; the table is told of it next. */
  add(value: Collection): number {
    const number = this.#freeNumbers.pop() ?? this.#collections.length
    this.#collections[number] = value
    this.#weights[number] = value.weight
    return number
  }

  /** Whether the table must be told what a collection weighs now: small changes are let pass. */
  isOffWeight(number: number, weight: number): boolean {
    const known = this.#weights[number]!
    const slack = 64 + known / 32
    if (weight < known + slack && weight > known - slack) return false
    this.#weights[number] = weight
    return true
  }

  /** What the table was last told that a collection weighs. */
  weightTold(number: number): number {
    return this.#weights[number]!
  }

  /** Takes back a number that the table did not take. */
  drop(number: number): void {
    this.release(number)
  }

  /** A collection is gone: its number may be used again. */
  release(number: number): void {
    this.#collections[number] = undefined
    this.#freeNumbers.push(number)
  }

  #reclaim(space: number): boolean {
    if (this.table.sizeOf(space) > 0) return false
    this.table.reclaim(space)
    this.#emptying.delete(space)
    return true
  }
}
