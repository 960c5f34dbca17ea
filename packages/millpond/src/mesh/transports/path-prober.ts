import type { Clock, Timer } from '../../core/clock.ts'
import { TokenBucket } from '../security/token-bucket.ts'
import { ECHO_BYTES, readEcho, writeAnswer, writeQuestion } from './echo.ts'
import type { Reach, Reached } from './reach.ts'
import type { SeedAddress } from './seeds.ts'
import { DATAGRAM_BYTES_MIN } from './udp-options.ts'

/** Lengths that paths are tried with: behind tunnels, on Ethernet, on Ethernet with jumbo frames. */
const LADDER_BYTES: readonly number[] = [1400, 1472, 8900]
const TICK_MS = 250
const GROUP_EVERY_MS = 5000
const SEED_EVERY_MS = 1000
const MEASURE_EVERY_MS = 60_000
/** What did not fit is not tried again sooner: kernels remember for ten minutes to send it in pieces, which would look as if it fitted. */
const GROW_AGAIN_MS = 900_000
const ANSWER_MS = 300
const PROBES = 3
const ANSWERS_PER_SECOND = 1000

interface Question {
  readonly random: Buffer
  readonly untilMs: number
  readonly answered: (() => void) | undefined
}

/**
 * Finds out by echoes who hears the group, which seeds are alive, and how long a datagram each path takes in one piece.
 *
 * A path is proven for a length when three padded questions in a row are answered. Where one is lost the length is left alone for
 * 15 minutes. Lengths above the interface's own MTU are never tried, as they would be sent in pieces.
 */
export class PathProber {
  readonly #clock: Clock
  readonly #reach: Reach
  readonly #cluster: number
  readonly #bytesMax: number
  readonly #send: (datagram: Buffer, to: SeedAddress | undefined) => void
  readonly #answers: TokenBucket
  readonly #questions = new Map<number, Question>()
  readonly #growAtMs = new WeakMap<Reached, number>()
  #question = 0
  #groupAtMs = 0
  #seedsAtMs = 0
  #eager = 0
  #timer: Timer | undefined

  /** @param send sends to an address, or to the group */
  constructor(
    clock: Clock,
    reach: Reach,
    cluster: number,
    bytesMax: number,
    send: (datagram: Buffer, to: SeedAddress | undefined) => void,
  ) {
    this.#clock = clock
    this.#reach = reach
    this.#cluster = cluster
    this.#bytesMax = bytesMax
    this.#send = send
    this.#answers = new TokenBucket(clock, ANSWERS_PER_SECOND)
  }

  /** Looks at once, and three times soon after: peers or seeds have changed. */
  start(): void {
    this.#eager = PROBES
    this.#groupAtMs = this.#seedsAtMs = 0
    this.#timer?.cancel()
    this.#tick()
  }

  close(): void {
    this.#timer?.cancel()
    this.#questions.clear()
  }

  /** An echo came: answers a question, or takes the answer to ours. */
  echo(datagram: Buffer, host: string, port: number): void {
    const echo = readEcho(datagram, this.#cluster)
    if (!echo) return
    if (echo.kind === 'to all' || echo.kind === 'to one') {
      if (this.#answers.take()) this.#send(writeAnswer(this.#cluster, echo), { host, port })
      return
    }
    const question = this.#questions.get(echo.question)
    if (!question?.random.equals(echo.random)) return
    question.answered?.()
    const reached = this.#reach.at(host, port)
    if (!reached) return
    reached.answeredMs = this.#clock.monotonic()
    if (echo.kind === 'heard by all') reached.heardGroupMs = reached.answeredMs
    this.#reach.update(reached.answeredMs)
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic()
    for (const [number, { untilMs }] of this.#questions) if (untilMs < nowMs) this.#questions.delete(number)
    const all = [...this.#reach.all]
    if (all.some(({ known }) => known) && nowMs >= this.#groupAtMs) {
      this.#ask('to all', ECHO_BYTES, undefined)
      this.#groupAtMs = nowMs + (this.#eager > 0 ? TICK_MS : GROUP_EVERY_MS)
    }
    if (nowMs >= this.#seedsAtMs) {
      for (const reached of all) if (reached.seed && !reached.known) this.#ask('to one', ECHO_BYTES, reached)
      this.#seedsAtMs = nowMs + (this.#eager > 0 ? TICK_MS : SEED_EVERY_MS)
    }
    for (const reached of all) if (reached.known && nowMs >= reached.measureAtMs) void this.#measure(reached)
    this.#reach.update(nowMs)
    this.#eager = Math.max(0, this.#eager - 1)
    this.#timer = this.#clock.after(TICK_MS, () => this.#tick())
  }

  async #measure(reached: Reached): Promise<void> {
    const nowMs = this.#clock.monotonic()
    reached.measureAtMs = nowMs + MEASURE_EVERY_MS
    const shrank =
      reached.bytes > DATAGRAM_BYTES_MIN &&
      (await this.#answersTo(reached, reached.bytes)) === 0 &&
      (await this.#answersTo(reached, ECHO_BYTES)) > 0
    if (shrank) {
      reached.bytes = DATAGRAM_BYTES_MIN
      this.#growAtMs.set(reached, nowMs + GROW_AGAIN_MS)
    }
    for (const bytes of [...LADDER_BYTES.filter((length) => length < this.#bytesMax), this.#bytesMax]) {
      if (bytes <= reached.bytes || nowMs < (this.#growAtMs.get(reached) ?? 0)) continue
      if ((await this.#answersTo(reached, bytes)) === PROBES) reached.bytes = bytes
      else this.#growAtMs.set(reached, nowMs + GROW_AGAIN_MS)
    }
    this.#reach.update(this.#clock.monotonic())
  }

  /** How many of three questions of this length are answered. */
  async #answersTo(reached: Reached, length: number): Promise<number> {
    let answers = 0
    const asking = Array.from({ length: PROBES }, () => {
      return new Promise<void>((resolve) => {
        this.#ask('to one', length, reached, () => {
          answers++
          resolve()
        })
      })
    })
    let timer: Timer | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(ANSWER_MS, resolve)
    })
    await Promise.race([Promise.all(asking), late])
    timer?.cancel()
    return answers
  }

  #ask(kind: 'to all' | 'to one', length: number, to: SeedAddress | undefined, answered?: () => void): void {
    const number = ++this.#question
    const datagram = writeQuestion(kind, this.#cluster, number, length)
    const untilMs = this.#clock.monotonic() + 2000
    this.#questions.set(number, { random: Buffer.from(datagram.subarray(16, 24)), untilMs, answered })
    this.#send(datagram, to)
  }
}
