/**
 * Locks in shared words: 0 is free, else the number of the member that holds it, with the top bit when somebody sleeps.
 * A table in one thread never gets here. Taking a free lock is one atomic exchange, and so is giving it back.
 *
 * Mutexes on a futex with three states are Drepper's ("Futexes Are Tricky", 2011). What is added is the holder's number, so
 * that a lock outlives no thread: a waiter that is kept waiting asks whether the holder is alive, and if not takes over.
 */
import { ClosedError } from '../core/errors.ts'
import type { ArenaMembers } from './arena-members.ts'

const WAITERS: number = 1 << 31
const SPINS = 200
const SLEEP_MS = 4
/** A try that fails costs nothing; every so many of them on one lock, the holder's pulse is felt. */
const TRIES_PER_CHECK = 256

export class ArenaLocks {
  readonly #words: Int32Array
  readonly #members: ArenaMembers
  #failedTries = 0

  constructor(words: Int32Array, members: ArenaMembers) {
    this.#words = words
    this.#members = members
  }

  /** Waits for the lock. `true`: its holder died with it, and what it guards must be repaired first. */
  take(word: number): boolean {
    return Atomics.compareExchange(this.#words, word, 0, this.#members.self) !== 0 && this.#wait(word)
  }

  /** Takes the lock if it is free: 1. If its holder died with it: 2, repair first. Else 0. */
  try(word: number): 0 | 1 | 2 {
    const held = Atomics.compareExchange(this.#words, word, 0, this.#members.self)
    if (held === 0) return 1
    return ++this.#failedTries % TRIES_PER_CHECK === 0 && this.#inherit(word, held) ? 2 : 0
  }

  give(word: number): void {
    if (Atomics.exchange(this.#words, word, 0) < 0) Atomics.notify(this.#words, word)
  }

  /** Takes the lock if a dead member holds it: for a round through all locks after a death. */
  takeFromDead(word: number): boolean {
    const held = Atomics.load(this.#words, word)
    return held !== 0 && this.#inherit(word, held)
  }

  #wait(word: number): boolean {
    const self = this.#members.self
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(this.#words, word) === 0 && Atomics.compareExchange(this.#words, word, 0, self) === 0)
        return false
    }
    for (;;) {
      // Marked as waited for while we hold it too: there may be others, and to wake nobody costs little.
      const held = Atomics.load(this.#words, word)
      if (held === 0) {
        if (Atomics.compareExchange(this.#words, word, 0, self | WAITERS) === 0) return false
        continue
      }
      const marked = held | WAITERS
      if (held !== marked && Atomics.compareExchange(this.#words, word, held, marked) !== held) continue
      if (sleep(this.#words, word, marked) && this.#inherit(word, marked)) return true
    }
  }

  #inherit(word: number, held: number): boolean {
    if (!this.#members.isDead(held & ~WAITERS)) return false
    return Atomics.compareExchange(this.#words, word, held, this.#members.self | WAITERS) === held
  }
}

/** What a thread has after it closed its table: it could not be told from others any more. */
export class ClosedLocks extends ArenaLocks {
  override take(): boolean {
    throw new ClosedError('the arena-table')
  }

  override try(): 0 | 1 | 2 {
    throw new ClosedError('the arena-table')
  }
}

/** Sleeps until woken. `true` when nobody woke us, or where a thread may not sleep (the main thread of a browser). */
function sleep(words: Int32Array, word: number, value: number): boolean {
  try {
    return Atomics.wait(words, word, value, SLEEP_MS) === 'timed-out'
  } catch {
    return true
  }
}
