/**
 * A database with one row whose loads can be held in the middle: after they have read, before they answer. With it a
 * race is a script: what happens is the same at every run.
 */

import { setImmediate as loopTurn, setTimeout as sleep } from 'node:timers/promises'
import { type Trade, trade } from '../../peers/trade.ts'

const OLD = 1
export const NEW = 2

export class World {
  /** What the row is now. */
  version = OLD
  #held: { readonly started: PromiseWithResolvers; readonly released: PromiseWithResolvers } | undefined

  /** A load reads the row at once, like a query that has its snapshot, and answers when it is let go. */
  readonly load = async (key: string): Promise<Trade> => {
    const { version } = this
    const held = this.#held
    this.#held = undefined
    held?.started.resolve()
    await held?.released.promise
    return trade(key, version)
  }

  /** The next load is held. */
  holdNext(): Held {
    const started = withResolvers()
    const released = withResolvers()
    this.#held = { started, released }
    return {
      release: released.resolve,
      started: async () => {
        const none = settle(100).then(() => 'none')
        if ((await Promise.race([started.promise, none])) === 'none') throw new Error('no load began')
      },
    }
  }
}

/** A load that has read and does not answer until `release`. */
export interface Held {
  /** Resolves when the load has read the row. */
  started(): Promise<void>
  release(): void
}

/**
 * Ways to let time pass between two steps of a race: whatever a library does in between falls before or after. The
 * last one is longer than a millisecond, because some libraries compare times in milliseconds.
 */
export const PAUSES: readonly (() => Promise<void> | undefined)[] = [
  () => undefined,
  () => Promise.resolve(),
  () => microtasks(12),
  () => loopTurn(),
  () => sleep(3),
]

/** Lets everything that is under way, and needs no timer, come to an end. */
export async function settle(loopTurns = 12): Promise<void> {
  for (let i = 0; i < loopTurns; i++) await loopTurn()
}

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
