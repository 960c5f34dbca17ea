/** Values by stream id, in the order of ids: lists of entries that are pending. */
import { compareIds, MIN_ID, type StreamId } from './stream-id.ts'

/** Most ids of a run. */
const FULL = 128

interface Run<Value> {
  readonly ids: StreamId[]
  readonly values: Value[]
}

/**
 * Runs of ids in order, found by their first. What is delivered comes at the end, and what is acknowledged mostly leaves from the
 * beginning, so runs are filled whole and are dropped when they are empty, and nothing else is balanced.
 */
export class StreamIndex<Value> {
  readonly #runs: Run<Value>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: StreamId): Value | undefined {
    const run = this.#runs[this.#runOf(id)]
    if (run === undefined) return undefined
    const at = placeOf(run.ids, id)
    return at < run.ids.length && compareIds(run.ids[at]!, id) === 0 ? run.values[at] : undefined
  }

  /** Puts a value under an id that has none yet, or another in its place. */
  set(id: StreamId, value: Value): void {
    const runAt = Math.max(0, this.#runOf(id))
    const run = this.#runs[runAt]
    if (run === undefined) {
      this.#runs.push({ ids: [id], values: [value] })
      this.#size++
      return
    }
    const at = placeOf(run.ids, id)
    if (at < run.ids.length && compareIds(run.ids[at]!, id) === 0) {
      run.values[at] = value
      return
    }
    this.#size++
    if (run.ids.length < FULL) insert(run, at, id, value)
    else if (at === FULL && runAt === this.#runs.length - 1) this.#runs.push({ ids: [id], values: [value] })
    else this.#split(runAt, run, at, id, value)
  }

  /** Removes an id. Returns whether it was there. */
  delete(id: StreamId): boolean {
    const runAt = this.#runOf(id)
    const run = this.#runs[runAt]
    if (run === undefined) return false
    const at = placeOf(run.ids, id)
    if (at === run.ids.length || compareIds(run.ids[at]!, id) !== 0) return false
    this.#size--
    run.ids.splice(at, 1)
    run.values.splice(at, 1)
    if (run.ids.length === 0) this.#runs.splice(runAt, 1)
    return true
  }

  /** The first id. There must be one. */
  firstId(): StreamId {
    return this.#runs[0]!.ids[0]!
  }

  /** The last id. There must be one. */
  lastId(): StreamId {
    return this.#runs.at(-1)!.ids.at(-1)!
  }

  /** Ids and values from `start` on. Nothing may be changed meanwhile. */
  *entries(start: StreamId = MIN_ID): Iterable<readonly [StreamId, Value]> {
    const first = Math.max(0, this.#runOf(start))
    for (let runAt = first; runAt < this.#runs.length; runAt++) {
      const { ids, values } = this.#runs[runAt]!
      for (let at = runAt === first ? placeOf(ids, start) : 0; at < ids.length; at++) yield [ids[at]!, values[at]!]
    }
  }

  /** The last run that does not begin behind the id; -1, if all do. */
  #runOf(id: StreamId): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareIds(this.#runs[middle]!.ids[0]!, id) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #split(runAt: number, run: Run<Value>, at: number, id: StreamId, value: Value): void {
    const half = FULL / 2
    const right = { ids: run.ids.splice(half), values: run.values.splice(half) }
    this.#runs.splice(runAt + 1, 0, right)
    if (at > half) insert(right, at - half, id, value)
    else insert(run, at, id, value)
  }
}

function insert<Value>(run: Run<Value>, at: number, id: StreamId, value: Value): void {
  run.ids.splice(at, 0, id)
  run.values.splice(at, 0, value)
}

/** The first place whose id is not before this one. */
function placeOf(ids: readonly StreamId[], id: StreamId): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareIds(ids[middle]!, id) < 0) low = middle + 1
    else high = middle
  }
  return low
}
