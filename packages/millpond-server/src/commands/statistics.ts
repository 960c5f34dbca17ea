/** How often each command was called, how long it took, and which errors were answered. */
import type { CommandEntry } from './command-table.ts'

/** Buckets of a histogram: powers of two of a microsecond, the last one and beyond. */
const BUCKETS = 32
/** Kinds of errors beyond this are not told apart: somebody makes them up. */
const ERROR_CODES_MAX = 128

/**
 * Reading the clock takes longer than many a command, so a run of the same short command is timed as one, and each of them
 * counts as an equal part of it. `begin` starts or goes on with a run; what takes longer is timed alone, by `record`.
 */
export class Statistics {
  readonly calls: Float64Array
  readonly microseconds: Float64Array
  /** Not run: wrong number of words, not allowed, no memory. */
  readonly rejected: Float64Array
  readonly failed: Float64Array
  /** All errors that were answered. */
  errorCount = 0
  /** By code. */
  readonly errors: Map<string, number> = new Map()
  /** Counted by the connections. */
  connections = 0
  connectionsRefused = 0
  /** Clients that said nothing for too long. */
  idleKicks = 0
  bytesIn = 0
  bytesOut = 0
  /** Reads from sockets that brought something. */
  batches = 0
  clientsEvicted = 0
  memoryPeak = 0
  /** Of late, in a second. */
  readonly rates: { commands: number; bytesIn: number; bytesOut: number } = { commands: 0, bytesIn: 0, bytesOut: 0 }
  #sampled: { atMs: number; commands: number; bytesIn: number; bytesOut: number } | undefined
  readonly #histograms: (Float64Array | undefined)[]
  #run = -1
  #runCalls = 0
  #runSinceMs = 0

  /** @param columns memory for `calls`, `microseconds`, `rejected` and `failed`, one after the other, if others are to see it */
  constructor(commands: number, columns: Float64Array = new Float64Array(commands * 4)) {
    const column = (at: number): Float64Array => columns.subarray(at * commands, (at + 1) * commands)
    this.calls = column(0)
    this.microseconds = column(1)
    this.rejected = column(2)
    this.failed = column(3)
    this.#histograms = new Array<Float64Array | undefined>(commands).fill(undefined)
  }

  /** Commands that were run. */
  get total(): number {
    return this.calls.reduce((sum, calls) => sum + calls, 0) + this.#runCalls
  }

  /** A short command runs now. */
  begin(id: number): void {
    if (this.#run !== id) {
      const nowMs = performance.now()
      this.#settle(nowMs)
      this.#run = id
      this.#runSinceMs = nowMs
    }
    this.#runCalls++
  }

  /** No short command runs any more. */
  end(): void {
    if (this.#run >= 0) this.#settle(performance.now())
  }

  /** A command took so long. */
  record(id: number, milliseconds: number, calls = 1): void {
    this.calls[id]! += calls
    this.microseconds[id]! += milliseconds * 1000
    const bucket = Math.min(BUCKETS - 1, Math.ceil(Math.log2(Math.max(1, (milliseconds * 1000) / calls))))
    const histogram = (this.#histograms[id] ??= new Float64Array(BUCKETS))
    histogram[bucket]! += calls
  }

  /** An error was answered, 'ERR syntax error'. */
  error(text: string): void {
    this.errorCount++
    const code = text.split(' ', 1)[0]!
    const count = this.errors.get(code)
    if (count !== undefined || this.errors.size < ERROR_CODES_MAX) this.errors.set(code, (count ?? 0) + 1)
  }

  /** Works out `rates` since it was last called. */
  sample(): void {
    const now = { atMs: performance.now(), commands: this.total, bytesIn: this.bytesIn, bytesOut: this.bytesOut }
    const before = this.#sampled
    this.#sampled = now
    if (before === undefined) return
    const seconds = (now.atMs - before.atMs) / 1000
    for (const what of ['commands', 'bytesIn', 'bytesOut'] as const) {
      this.rates[what] = Math.max(0, now[what] - before[what]) / seconds
    }
  }

  /** How many calls of a command took up to 1, 2, 4, 8… µs; `undefined`: none. */
  histogramOf({ id }: CommandEntry): Float64Array | undefined {
    return this.#histograms[id]
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.end()
    for (const numbers of [this.calls, this.microseconds, this.rejected, this.failed]) numbers.fill(0)
    this.#histograms.fill(undefined)
    this.errors.clear()
    this.errorCount = 0
    this.connections = 0
    this.connectionsRefused = 0
    this.idleKicks = 0
    this.bytesIn = 0
    this.bytesOut = 0
    this.batches = 0
    this.clientsEvicted = 0
    this.#sampled = undefined
  }

  #settle(nowMs: number): void {
    if (this.#run >= 0) this.record(this.#run, nowMs - this.#runSinceMs, this.#runCalls)
    this.#run = -1
    this.#runCalls = 0
  }
}
