/** Ways through all entries of an arena-table, stripe by stripe: in steps, by chance, in the order of the policy. */
import { OptionError } from '../core/errors.ts'
import type { ArenaCore } from './arena-core.ts'
import { keyLengthOf, readItem, spaceOf } from './arena-item.ts'
import type { ArenaScan } from './arena-options.ts'
import type { ArenaStripe } from './arena-stripe.ts'
import type { Policy } from './policy.ts'

export class ArenaWalk {
  readonly #core: ArenaCore

  constructor(core: ArenaCore) {
    this.#core = core
  }

  /** See `ArenaTable.scan`. */
  scan(cursor: number, count: number, space: number): ArenaScan {
    const { stripes } = this.#core
    const number = Math.floor(cursor / SLOTS_MAX)
    const stripe = stripes[number]
    if (!stripe || !(count >= 1)) {
      throw new OptionError(
        stripe ? 'count' : 'cursor',
        stripe ? count : cursor,
        'begin with 0, then as `scan` returned',
      )
    }
    const keys: Uint8Array[] = []
    this.#core.enter(stripe)
    const nowMs = this.#core.clock.nowMs()
    // Downwards: items only ever move to lower slots.
    const top = Math.min(stripe.usedSlots, cursor % SLOTS_MAX || SLOTS_MAX)
    const bottom = Math.max(0, top - count)
    for (let slot = top - 1; slot >= bottom; slot--) {
      const ref = stripe.itemOf(slot)
      if (ref > 0 && spaceOf(this.#core.memory, ref) === space && !stripe.isExpired(ref, nowMs))
        keys.push(this.#keyOf(ref))
    }
    this.#core.exit(stripe)
    if (bottom > 0) return { cursor: number * SLOTS_MAX + bottom, keys }
    return { cursor: number + 1 < stripes.length ? (number + 1) * SLOTS_MAX : 0, keys }
  }

  /** See `ArenaTable.someKey`. */
  someKey(chance: number, space: number): Uint8Array | undefined {
    const { stripes } = this.#core
    let left = Math.floor(chance * stripes.reduce((sum, stripe) => sum + stripe.countOf(space), 0))
    const first = stripes.findIndex((stripe) => (left -= stripe.countOf(space)) < 0)
    if (first < 0) return undefined
    for (let step = 0; step < stripes.length; step++) {
      const key = this.#someKeyOf(stripes[(first + step) % stripes.length]!, chance, space)
      if (key) return key
    }
    return undefined
  }

  #someKeyOf(stripe: ArenaStripe, chance: number, space: number): Uint8Array | undefined {
    if (stripe.countOf(space) === 0) return undefined
    this.#core.enter(stripe)
    const nowMs = this.#core.clock.nowMs()
    const used = stripe.usedSlots
    let slot = Math.floor(((chance * 1021) % 1) * used)
    let found = 0
    for (let left = used; left > 0 && found === 0; left--, slot = slot + 1 < used ? slot + 1 : 0) {
      const ref = stripe.itemOf(slot)
      if (ref > 0 && spaceOf(this.#core.memory, ref) === space && !stripe.isExpired(ref, nowMs)) found = ref
    }
    const key = found === 0 ? undefined : this.#keyOf(found)
    this.#core.exit(stripe)
    return key
  }

  /** The first of each stripe, then the second of each, and so on. */
  ranked(count: number, next: (policy: Policy, slot: number) => number): Uint8Array[] {
    const lists = this.#core.stripes.map((stripe) => this.#firstOf(stripe, count, next))
    const ranked: Uint8Array[] = []
    for (let rank = 0; ranked.length < count; rank++) {
      const keys = lists.map((list) => list[rank]).filter((key) => key !== undefined)
      if (keys.length === 0) break
      ranked.push(...keys.slice(0, count - ranked.length))
    }
    return ranked
  }

  #firstOf(stripe: ArenaStripe, count: number, next: (policy: Policy, slot: number) => number): Uint8Array[] {
    const keys: Uint8Array[] = []
    this.#core.enter(stripe)
    if (stripe.count > 0) {
      for (let slot = next(stripe.policy, -1); slot >= 0 && keys.length < count; slot = next(stripe.policy, slot)) {
        keys.push(this.#keyOf(stripe.itemOf(slot)))
      }
    }
    this.#core.exit(stripe)
    return keys
  }
  #keyOf(ref: number): Uint8Array {
    const key = new Uint8Array(keyLengthOf(this.#core.memory, ref))
    readItem(this.#core.memory, ref, 0, key, 0, key.length)
    return key
  }
}

/** Cursors are stripe * this + slot. */
const SLOTS_MAX = 2 ** 32
