import type { Clock } from '../core/clock.ts'

/** One load that waits to be part of a batch. */
export interface BatchItem<I, C> {
  readonly id: I
  readonly ctx: C
}

/** Loads several items; gives their values in the order of `items`. */
export type BatchRun<I, V, C> = (items: readonly BatchItem<I, C>[]) => Promise<readonly V[]>

/**
 * Collects single loads and runs them together (DataLoader's idea). A batch is what was asked for within `delayMs`, or
 * within one tick when that is 0: until every promise that is ready has had its turn. More than `maxSize` items become
 * several batches, and a batch that fails rejects its own items only, with the error as it was thrown.
 */
export class Batcher<I, V, C> {
  readonly #run: BatchRun<I, V, C>
  readonly #clock: Clock
  readonly #maxSize: number
  readonly #delayMs: number
  #waiting: Waiting<I, V, C>[] = []

  constructor(run: BatchRun<I, V, C>, clock: Clock, maxSize: number, delayMs: number) {
    this.#run = run
    this.#clock = clock
    this.#maxSize = maxSize
    this.#delayMs = delayMs
  }

  load(id: I, ctx: C): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ id, ctx, resolve, reject }) > 1) return
      if (this.#delayMs > 0) this.#clock.after(this.#delayMs, () => this.#dispatch(), true)
      else afterPromises(() => this.#dispatch())
    })
  }

  #dispatch(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += this.#maxSize)
      void this.#runBatch(waiting.slice(at, at + this.#maxSize))
  }

  async #runBatch(batch: readonly Waiting<I, V, C>[]): Promise<void> {
    try {
      const values = await this.#run(batch)
      for (const [at, item] of batch.entries()) item.resolve(values[at]!)
    } catch (error) {
      for (const item of batch) item.reject(error)
    }
  }
}

interface Waiting<I, V, C> extends BatchItem<I, C> {
  readonly resolve: (value: V) => void
  readonly reject: (error: unknown) => void
}

/** A signal that is aborted when the last of `signals` is: one caller who gives up must not end the load of others. */
export function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  let open = signals.length
  const close = (signal: AbortSignal) => {
    if (--open === 0) controller.abort(signal.reason)
  }
  for (const signal of signals) {
    if (signal.aborted) close(signal)
    else signal.addEventListener('abort', () => close(signal), { once: true })
  }
  return controller.signal
}

/** Runs after everything that is ready now: in Node after the promise queue, elsewhere with the next timer. */
function afterPromises(run: () => void): void {
  const host = (globalThis as { process?: { nextTick?: (run: () => void) => void } }).process
  // From inside a promise job, so that nextTick comes after the queue rather than before it.
  void Promise.resolve().then(() => (host?.nextTick ? host.nextTick(run) : setTimeout(run, 0)))
}
