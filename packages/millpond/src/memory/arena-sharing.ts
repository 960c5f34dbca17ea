/** What threads that share an arena-table know of each other, and how one of them has a part of it for itself. */
import type { ArenaCore } from './arena-core.ts'
import { ArenaFacts } from './arena-facts.ts'
import { type ArenaKey, ArenaKeyReader } from './arena-key.ts'
import { TABLE } from './arena-layout.ts'
import type { PolicyFactory } from './policy.ts'

export class ArenaSharing extends ArenaFacts {
  readonly #core: ArenaCore
  readonly #key: ArenaKeyReader

  constructor(core: ArenaCore, policies: readonly PolicyFactory[]) {
    super(core, policies)
    this.#core = core
    const { words } = core.memory
    this.#key = new ArenaKeyReader(words[TABLE.SEED_0]!, words[TABLE.SEED_1]!)
  }

  /** This thread's number among those that share the table. */
  get member(): number {
    return this.#core.member
  }

  /** Whether another thread, by its number, can provably never use the table again: it ended, or closed it. */
  isGone(member: number): boolean {
    return this.#core.isGone(member)
  }

  /** The number of the part of the table that a key belongs to: see `hold`. */
  stripeOf(key: ArenaKey, start?: number, end?: number, space = 0): number {
    this.#key.aim(key, start, end, space)
    return this.#core.stripeOf(this.#key.hash)
  }

  /**
   * Keeps other threads out of a part of the table until `release`, so that several calls for its keys are as one. Who needs
   * several parts takes them in the order of their numbers, and calls nothing in between that concerns other keys.
   */
  hold(stripe: number): void {
    this.#core.hold(stripe)
  }

  /** Lets other threads into what was held. */
  release(): void {
    this.#core.release()
  }

  /**
   * Says that a worker has ended: call it with `worker.threadId`, read before the `exit` event. On Node that is found out
   * without it; elsewhere, what a killed worker had locked is given free only by this.
   */
  reportExit(threadId: number): void {
    this.#core.reportExit(threadId)
  }
}
