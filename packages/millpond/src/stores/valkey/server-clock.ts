import type { Clock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'

/**
 * What time it is at the servers, between two bounds that are sure: so an entry can say when it was stored, and what
 * is left of its life is known from one MGET, whatever the clocks of the processes say.
 *
 * How it works: the servers are asked for their TIME. The answer was made somewhere between asking and receiving, which
 * bounds how far each server is ahead of this process's own steady clock (Cristian 1989). Several servers make the
 * bounds wide enough for all of them. What bounds one sample and the one before have in common is kept (Marzullo 1984),
 * with room for drift; samples that have nothing in common mean that a server's clock was set, and the later one counts.
 * A writer takes the earliest time it may be and a reader the latest, so no error of these adds to an entry's life.
 */
export class ServerClock {
  readonly #clock: Clock
  readonly #askTime: () => Promise<unknown[]>
  /** How far the servers are ahead of the steady clock: at least and at most. */
  #bounds: Bounds | undefined
  #sampledAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  /** Counts what made the bounds doubtful, and how much of that they were sampled after. */
  #doubts = 1
  #settled = 0

  constructor(clock: Clock, askTime: () => Promise<unknown[]>) {
    this.#clock = clock
    this.#askTime = askTime
  }

  /**
   * Asks again where it is time to. Returns a promise only where nothing sure is known; it rejects with a StoreError
   * when no server says what time it is.
   */
  refresh(): Promise<void> | undefined {
    const isKnown = this.#settled === this.#doubts
    if (!isKnown || this.#clock.monotonic() - this.#sampledAtMs >= SAMPLE_EVERY_MS) {
      this.#asking ??= this.#sample().finally(() => {
        this.#asking = undefined
      })
      this.#asking.catch(() => undefined) // who waits is told; where nobody does, the bounds that are known serve on
    }
    return isKnown ? undefined : this.#asking
  }

  /** It is not earlier at any server. */
  earliestMs(): number {
    const nowMs = this.#clock.monotonic()
    return nowMs + this.#known().least - drift(nowMs - this.#sampledAtMs)
  }

  /** It is not later at any server. */
  latestMs(): number {
    const nowMs = this.#clock.monotonic()
    return nowMs + this.#known().most + drift(nowMs - this.#sampledAtMs)
  }

  /** Other servers may answer now, with other clocks: the next one who needs the time waits until they are asked. */
  doubt(): void {
    this.#doubts++
  }

  async #sample(): Promise<void> {
    const doubts = this.#doubts
    const askedAtMs = this.#clock.monotonic()
    const times = (await this.#askTime()).map(timeOf)
    if (times.length === 0) throw new StoreError('time: the client knows no server yet')
    const nowMs = this.#clock.monotonic()
    const found = { least: Math.min(...times) - nowMs, most: Math.max(...times) + RESOLUTION_MS - askedAtMs }
    const isSame = this.#settled === doubts && this.#bounds !== undefined
    this.#bounds = isSame ? narrowed(found, this.#bounds!, drift(nowMs - this.#sampledAtMs)) : found
    this.#sampledAtMs = nowMs
    this.#settled = doubts
  }

  #known(): Bounds {
    if (this.#bounds === undefined) throw new StoreError('the time of the servers is not known yet')
    return this.#bounds
  }
}

interface Bounds {
  readonly least: number
  readonly most: number
}

const SAMPLE_EVERY_MS = 10_000
/** TIME counts microseconds, of which `timeOf` keeps all. */
const RESOLUTION_MS = 0.001

/** How far two clocks may part meanwhile: crystals are within 0.1 in a thousand, and a clock that is slewed within 0.5. */
function drift(elapsedMs: number): number {
  return elapsedMs * 0.0006
}

/** What bounds have in common with earlier ones, which have drifted since. */
function narrowed(found: Bounds, earlier: Bounds, driftMs: number): Bounds {
  const least = Math.max(found.least, earlier.least - driftMs)
  const most = Math.min(found.most, earlier.most + driftMs)
  return least <= most ? { least, most } : found
}

/** Milliseconds of an answer to TIME: seconds and microseconds. */
function timeOf(answer: unknown): number {
  const [seconds, micros] = Array.isArray(answer) ? answer : []
  const ms = Number(seconds) * 1000 + Number(micros) / 1000
  if (Number.isFinite(ms)) return ms
  throw new StoreError(`time: ${String(answer)} is no answer to TIME`)
}
