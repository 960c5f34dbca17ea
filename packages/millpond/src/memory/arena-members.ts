/**
 * The threads that have an arena open, and the proof that one of them is gone.
 *
 * A lock may be taken from its holder only when the holder can never run again: taking it from one that is merely slow
 * (a debugger, a stopped process) would let two threads write. So a deadline is no proof. But Node closes the files of
 * a worker when it ends, however it ends, and a file's number is the same in all threads: each thread opens a file of
 * its own and writes down its number and identity. As long as that number still is that file, the thread lives.
 * Anyone can look, at once, even while its own event loop is blocked.
 *
 * Where there are no files (browsers) nobody is presumed dead, until someone who saw the worker's `exit` says so.
 */
import { builtin } from '../core/platform.ts'
import { MEMBER_WORDS, MEMBERS_MAX, TABLE } from './arena-layout.ts'

type Files = typeof import('node:fs')
type Threads = typeof import('node:worker_threads')

// Word 0 of a seat: its state in 2 bits, and above them which life of the seat it is, so that a change that comes too
// late finds another word.
const THREAD = 1
const FILE = 2
const IDENTITY = 3
const FREE = 0
const JOINING = 1
const ALIVE = 2
const DEAD = 3
const NO_FILE = -1

/**
 * A member's number is its seat in the table and which life of that seat it is, so the number of a dead one never comes
 * back: 6 bits of seat, 24 of lives.
 */
const SEAT_MASK = 63
const LIFE_MASK = 0xff_ffff

export class ArenaMembers {
  readonly #words: Int32Array
  #file = NO_FILE
  #self = 0

  constructor(words: Int32Array) {
    this.#words = words
  }

  /** This thread's number after it joined, above 0. 0: not joined. */
  get self(): number {
    return this.#self
  }

  /** Takes a number for this thread. `false` when `MEMBERS_MAX` threads have the arena open. */
  join(): boolean {
    for (let seat = 1; seat <= MEMBERS_MAX; seat++) {
      const at = wordOf(seat)
      if ((Atomics.load(this.#words, at) & 3) !== FREE && !this.#gone(seat)) continue
      const before = Atomics.load(this.#words, at)
      if ((before & 3) !== FREE && (before & 3) !== DEAD) continue
      const life = ((before >>> 2) + 1) & LIFE_MASK
      if (Atomics.compareExchange(this.#words, at, before, (life << 2) | JOINING) !== before) continue
      this.#describe(seat)
      this.#self = (life << 6) | seat
      Atomics.store(this.#words, at, (life << 2) | ALIVE)
      return true
    }
    return false
  }

  /** Gives the number back. The thread must hold no lock. */
  leave(): void {
    if (this.#self === 0) return
    Atomics.store(this.#words, wordOf(this.#self & SEAT_MASK), ((this.#self >>> 6) << 2) | FREE)
    if (this.#file !== NO_FILE) files()?.closeSync(this.#file)
    this.#file = NO_FILE
    this.#self = 0
  }

  /** Whether a member can provably never do anything again: it ended, or gave its number back. */
  isDead(id: number): boolean {
    if (id === this.#self) return false
    const seat = id & SEAT_MASK
    const state = Atomics.load(this.#words, wordOf(seat))
    return state >>> 2 !== id >>> 6 || (state & 3) === FREE || this.#gone(seat)
  }

  /** Says that the thread with this number of Node (`worker.threadId` before its `exit`) has ended. */
  reportExit(threadId: number): void {
    for (let seat = 1; seat <= MEMBERS_MAX; seat++) {
      const at = wordOf(seat)
      const state = Atomics.load(this.#words, at)
      if (this.#words[at + THREAD] === threadId) this.#end(at, state)
    }
  }

  #gone(seat: number): boolean {
    const at = wordOf(seat)
    const state = Atomics.load(this.#words, at)
    if ((state & 3) !== ALIVE) return (state & 3) === DEAD
    if (this.#words[at + FILE] === NO_FILE || !this.#fileClosed(at)) return false
    this.#end(at, state)
    return true
  }

  #end(at: number, state: number): void {
    if ((state & 3) === ALIVE) Atomics.compareExchange(this.#words, at, state, (state & ~3) | DEAD)
  }

  #describe(seat: number): void {
    const at = wordOf(seat)
    this.#words[at + THREAD] = builtin<Threads>('node:worker_threads')?.threadId ?? -1
    this.#file = openBeacon()
    this.#words[at + FILE] = this.#file
    if (this.#file === NO_FILE) return
    this.#words.set(identityOf(this.#file)!, at + IDENTITY)
    // The file's number is ours now: whoever had the same one before has lost it.
    for (let other = 1; other <= MEMBERS_MAX; other++) {
      const word = wordOf(other)
      const state = Atomics.load(this.#words, word)
      if (other !== seat && this.#words[word + FILE] === this.#file) this.#end(word, state)
    }
  }

  #fileClosed(at: number): boolean {
    const identity = identityOf(this.#words[at + FILE]!)
    return identity === undefined || identity.some((word, place) => word !== this.#words[at + IDENTITY + place])
  }
}

function wordOf(seat: number): number {
  return TABLE.MEMBERS + seat * MEMBER_WORDS
}

function files(): Files | undefined {
  return builtin<Files>('node:fs')
}

/** A new empty file without a name, open until this thread ends. */
function openBeacon(): number {
  const fs = files()
  const directory = builtin<typeof import('node:os')>('node:os')?.tmpdir()
  if (!fs || directory === undefined) return NO_FILE
  try {
    const path = `${directory}/millpond-${crypto.randomUUID()}`
    const file = fs.openSync(path, 'wx')
    fs.unlinkSync(path)
    return file
  } catch {
    return NO_FILE
  }
}

/** Device, inode and time of birth of an open file, as words; `undefined` when the number is no open file. */
function identityOf(file: number): number[] | undefined {
  try {
    const { dev, ino, birthtimeNs } = files()!.fstatSync(file, { bigint: true })
    return [lowWord(dev), lowWord(ino), lowWord(ino >> 32n), lowWord(birthtimeNs)]
  } catch {
    return undefined
  }
}

function lowWord(number: bigint): number {
  return Number(BigInt.asIntN(32, number))
}
