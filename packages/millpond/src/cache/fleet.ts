import { type Clock, sleep, type Timer } from '../core/clock.ts'
import { LoadTimeoutError } from '../core/errors.ts'
import { randomId } from '../core/ids.ts'
import { shownKey } from './inner-key.ts'
import type { Lease } from './lease.ts'
import type { Life } from './life.ts'
import type { Abort } from './load-context.ts'
import { same, type Use } from './read-batches.ts'
import type { How, Promotion, SharedReads } from './shared-reads.ts'
import type { SharedTier } from './shared-tier.ts'

/** What loads for the whole fleet need to know of their cache. */
export interface FleetOptions {
  readonly tier: SharedTier
  readonly reads: SharedReads
  readonly clock: Clock
  readonly leaseMs: number
}

/** A load that is about to begin. */
export interface Coming {
  readonly key: string
  readonly life: Life
  readonly lease: Lease
  readonly abort: Abort
}

/** What a load begins with. */
export interface Begun {
  /** What the shared tier had; `undefined` where it has no part in the key. */
  readonly promotion: Promotion | undefined
  /** The turn of this process to load for all. */
  readonly turn?: Turn
  /** How much of the time of the load has passed in waiting for others. */
  readonly waitedMs: number
}

/**
 * One load of a key for all processes that share a store (`lock: 'store'`). Who has the key's lease in the store loads; the
 * others look again, after steps that grow, until the value is there. They wait for one load at most: a turn that leaves
 * nothing to read (the load failed, kept nothing, or was overtaken) puts a note, which each of them meets with its next
 * look, and then all load for themselves at once, instead of failing one after the other. The lease of a process that
 * died ends, and one of those who wait takes its place.
 *
 * The lease is of the key as it stands: after an invalidation it is another one, and nobody waits for what is void.
 * None of this keeps values right: marks and tags do. Without the store everyone loads at once.
 */
export class Fleet {
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /**
   * Looks into the shared tier, and takes the turn to load or waits for who has it where the options of the load ask for it.
   * Gives what `use` makes of that.
   *
   * @throws LoadTimeoutError (`ERR_LOAD_TIMEOUT`) when others take longer than the load's own `hardTimeout`
   */
  begin<T>(coming: Coming, how: How, use: Use<Begun, T>): Promise<T> {
    const { life, lease } = coming
    return this.#options.reads.promote(coming, lease, how, (promotion) => {
      if (life.lock !== 'store' || how.force || !isToLoad(promotion)) return use({ promotion, waitedMs: 0 })
      return this.#takeTurn(coming, how, promotion).then(use)
    })
  }

  async #takeTurn(coming: Coming, how: How, before: Promotion): Promise<Begun> {
    const { tier, reads, clock } = this.#options
    const beganAtMs = clock.monotonic()
    let turn = new Turn(this.#options, nameOf(coming.key, before))
    let firstNote: string | undefined
    for (;;) {
      const asked = [turn.take(), reads.promote(coming, coming.lease, how, same), tier.readNote(turn.name)] as const
      const [isOurs, promotion, note] = await Promise.all(asked)
      const waitedMs = clock.monotonic() - beganAtMs
      firstNote ??= note
      const isTold = note !== firstNote && note !== '' // not when the note of an earlier turn ends
      const goesAlone = isOurs === undefined || isTold || !isToLoad(promotion)
      const name = goesAlone ? turn.name : nameOf(coming.key, promotion)
      if (isOurs && !goesAlone && name === turn.name) return { promotion, turn, waitedMs }
      if (isOurs) await turn.pass()
      if (goesAlone) return { promotion, waitedMs }
      if (name !== turn.name) [turn, firstNote] = [new Turn(this.#options, name), undefined]
      await this.#wait(coming, waitedMs)
    }
  }

  /** Waits until it is time to look again, for no longer than a load may take, or somebody wants the value. */
  async #wait({ key, life, abort }: Coming, waitedMs: number): Promise<void> {
    const { clock } = this.#options
    const stepMs = Math.min(Math.max(waitedMs / 16, STEP_MS_MIN), STEP_MS_MAX)
    await sleep(clock, Math.min(stepMs, life.hardTimeoutMs - waitedMs))
    abort.throwIfAborted()
    if (waitedMs + stepMs >= life.hardTimeoutMs) throw new LoadTimeoutError(shownKey(key), life.hardTimeoutMs)
  }
}

/** The turn of a process to load a key for all: renewed as long as the load lasts, then passed on. */
export class Turn {
  readonly name: string
  readonly #options: FleetOptions
  readonly #holder = randomId()
  #renewal: Timer | undefined
  #isOver = false

  /** @param name what is to be loaded, and for which state of it */
  constructor(options: FleetOptions, name: string) {
    this.#options = options
    this.name = name
  }

  /** Asks for the turn. `undefined`: the store does not answer. */
  async take(): Promise<boolean | undefined> {
    const { tier, clock, leaseMs } = this.#options
    const isOurs = await tier.lease(this.name, this.#holder, leaseMs)
    if (isOurs && !this.#isOver) this.#renewal = clock.after(leaseMs / 3, () => void this.take())
    return isOurs
  }

  /** Ends the turn, and lets the next one have it. */
  async pass(): Promise<void> {
    this.#isOver = true
    this.#renewal?.cancel()
    await this.#options.tier.release(this.name, this.#holder)
  }

  /** Ends the turn when the store has the value; where it does not take it, those who wait are told not to. */
  async endAfter(filled: Promise<boolean | undefined>): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    if ((await filled) !== true) await this.#options.tier.putNote(this.name, this.#options.leaseMs)
    await this.pass()
  }
}

const STEP_MS_MIN = 2
const STEP_MS_MAX = 10

/** Whether a load is next, and what it gives may be stored. */
function isToLoad(promotion: Promotion | undefined): promotion is Promotion {
  return promotion?.mark !== undefined && promotion.landed === undefined && !promotion.held
}

/** An invalidation changes what is to be loaded: who comes after it does not wait for a load that began before. */
function nameOf(key: string, { mark, versions }: Promotion): string {
  return [key, mark, ...versions.values()].join('\0')
}
