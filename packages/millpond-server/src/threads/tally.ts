/** What a worker counts, in memory that home sees: home adds to its own statistics what has come since it last looked. */
import type { Service } from '../commands/service.ts'
import type { Keyspace } from '../engine/keyspace.ts'

/** Numbers that are not of one command or database. */
const SCALARS = 6
const OF_DATABASE = 3
const OF_COMMAND = 4

/** Memory for a worker's counts. */
export function tallyMemory({ databases, commands }: Pick<Service, 'databases' | 'commands'>): Float64Array {
  const length = SCALARS + databases.length * OF_DATABASE + commands.entries.length * OF_COMMAND
  return new Float64Array(new SharedArrayBuffer(length * 8))
}

/** The part of it that a worker's `Statistics` writes. */
export function columnsOf(memory: Float64Array, databases: number): Float64Array {
  return memory.subarray(SCALARS + databases * OF_DATABASE)
}

/** Writes down what a worker has counted elsewhere: called when the commands of a read, all in one database, are over. */
export function publish(memory: Float64Array, { statistics, changes }: Service, database: Keyspace): void {
  memory[0] = statistics.bytesIn
  memory[1] = statistics.bytesOut
  memory[2] = statistics.batches
  memory[3] = changes.count
  memory[4] = changes.expired
  memory[5] = changes.evicted
  const at = SCALARS + database.index * OF_DATABASE
  memory[at] = database.hits
  memory[at + 1] = database.misses
  memory[at + 2] = database.changes
}

/** One worker's counts, as home has taken them so far. */
export class Tally {
  readonly memory: Float64Array
  readonly #seen: Float64Array

  constructor(memory: Float64Array) {
    this.memory = memory
    this.#seen = new Float64Array(memory.length)
  }

  /** Adds what is new to the statistics of a service. */
  gather(service: Service): void {
    const { statistics, changes, databases, commands } = service
    statistics.bytesIn += this.#take(0)
    statistics.bytesOut += this.#take(1)
    statistics.batches += this.#take(2)
    changes.count += this.#take(3)
    changes.expired += this.#take(4)
    changes.evicted += this.#take(5)
    let at = SCALARS
    for (const database of databases) {
      database.hits += this.#take(at++)
      database.misses += this.#take(at++)
      database.changes += this.#take(at++)
    }
    const { length } = commands.entries
    for (let id = 0; id < length; id++, at++) {
      const calls = this.#take(at)
      const microseconds = this.#take(at + length)
      if (calls > 0) statistics.record(id, microseconds / 1000, calls)
      statistics.rejected[id]! += this.#take(at + length * 2)
      statistics.failed[id]! += this.#take(at + length * 3)
    }
  }

  #take(at: number): number {
    const now = this.memory[at]!
    const more = now - this.#seen[at]!
    this.#seen[at] = now
    return more
  }
}
