/**
 * Who may be in a cache that threads share: workers, unless the home thread has it for itself.
 *
 * Each worker has a word that says whether it is inside, and there is one that says whether the way in is open. A worker
 * first says that it is inside and then looks whether it may; home first shuts the way and then looks who is inside. Atomic
 * operations have one order for all threads, so one of the two sees the other (Dijkstra 1965, after Dekker). Being inside costs a worker two writes to a
 * word of its own for all commands of a read.
 */

/** The way in. SHUT: for a moment, and who finds it so waits. CLOSED: for longer, and who finds it so goes another way. */
const OPEN = 0
const SHUT = 1
const CLOSED = 2

const WAY = 0
/** How many workers sleep before it. */
const SLEEPERS = 1
/** Moves when workers have mail that they must read before they go on. */
const NEWS = 2
/** First word of the workers; each has a line of the processor's cache for itself. */
const FIRST = 16
const STRIDE = 16
/** In a worker's words: whether it is inside, and its number in the arena. */
const INSIDE = 0
const MEMBER = 1

const SPINS = 2000
/** Who sleeps looks so often whether what it waits for has happened unheard, or never will. */
const SLEEP_MS = 20

export function turnstileWords(workers: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((FIRST + workers * STRIDE) * 4))
}

/** The turnstile as the home thread has it. */
export class HomeTurnstile {
  readonly #words: Int32Array
  readonly #workers: number
  readonly #isGone: (member: number) => boolean

  /** @param isGone whether a member of the arena can provably do nothing any more */
  constructor(words: Int32Array, workers: number, isGone: (member: number) => boolean) {
    this.#words = words
    this.#workers = workers
    this.#isGone = isGone
  }

  /** Shuts the way, and waits until all are out. */
  shut(): void {
    Atomics.store(this.#words, WAY, SHUT)
    for (let worker = 0; worker < this.#workers; worker++) this.#awaitOut(FIRST + worker * STRIDE)
  }

  /** Opens it again, or says that it stays closed. */
  open(closed: boolean): void {
    Atomics.store(this.#words, WAY, closed ? CLOSED : OPEN)
    if (Atomics.load(this.#words, SLEEPERS) !== 0) Atomics.notify(this.#words, WAY)
  }

  /** Workers read their mail before they execute anything more. While the way is open some may be inside: shut it before. */
  announce(): void {
    Atomics.add(this.#words, NEWS, 1)
  }

  #awaitOut(at: number): void {
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(this.#words, at + INSIDE) === 0) return
    while (Atomics.load(this.#words, at + INSIDE) !== 0) {
      const woken = Atomics.wait(this.#words, at + INSIDE, 1, SLEEP_MS)
      if (woken === 'timed-out' && this.#isGone(this.#words[at + MEMBER]!)) return
    }
  }
}

/** The turnstile as a worker has it. */
export class WorkerTurnstile {
  readonly #words: Int32Array
  readonly #at: number
  #news = 0

  /** @param member the worker's number in the arena */
  constructor(words: Int32Array, worker: number, member: number) {
    this.#words = words
    this.#at = FIRST + worker * STRIDE
    words[this.#at + MEMBER] = member
  }

  /** Goes in, as soon as it may. `false`: the way is closed, and stays so for a while. */
  enter(): boolean {
    for (;;) {
      Atomics.store(this.#words, this.#at + INSIDE, 1)
      const way = Atomics.load(this.#words, WAY)
      if (way === OPEN) return true
      this.leave()
      if (way === CLOSED) return false
      this.#wait()
    }
  }

  leave(): void {
    Atomics.store(this.#words, this.#at + INSIDE, 0)
    if (Atomics.load(this.#words, WAY) === SHUT) Atomics.notify(this.#words, this.#at + INSIDE)
  }

  /** Whether home does not want anybody to leave. */
  get isOpen(): boolean {
    return Atomics.load(this.#words, WAY) === OPEN
  }

  /** Whether there is mail to be read first, since this was last asked. */
  get hasNews(): boolean {
    const news = Atomics.load(this.#words, NEWS)
    if (news === this.#news) return false
    this.#news = news
    return true
  }

  #wait(): void {
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(this.#words, WAY) !== SHUT) return
    Atomics.add(this.#words, SLEEPERS, 1)
    Atomics.wait(this.#words, WAY, SHUT, SLEEP_MS)
    Atomics.sub(this.#words, SLEEPERS, 1)
  }
}
