/** Readers and writers of one process, at random, until they are told to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import type { CachePeer } from './cache-peer.ts'

export interface WorkloadOptions {
  readonly seed: number
  readonly readers: number
  readonly writers: number
  /** Rows 1 to this. */
  readonly keys: number
}

/** A reader asks for so many rows, then rests for up to `REST_MS`. */
const BURST = 6
const REST_MS = 5
/** A writer waits so long between writes, at most. */
const WRITE_MS = 25
/** A transaction stays open for so long, at most. */
const OPEN_MS = 60
/** The claims of others that are still asked for. */
const CLAIMS_MAX = 50

export class Workload {
  readonly #peer: CachePeer
  readonly #options: WorkloadOptions
  readonly #random: () => number
  readonly #running: Promise<void>[]
  #isStopped = false

  constructor(peer: CachePeer, options: WorkloadOptions) {
    this.#peer = peer
    this.#options = options
    this.#random = seededRandom(options.seed)
    const { readers, writers } = options
    this.#running = [
      ...Array.from({ length: readers }, () => this.#loop(() => this.#readSome())),
      ...Array.from({ length: writers }, () => this.#loop(() => this.#writeSome())),
    ]
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
  }

  async #loop(step: () => Promise<void>): Promise<void> {
    while (!this.#isStopped) await step()
  }

  async #readSome(): Promise<void> {
    const { given } = this.#peer
    given.splice(0, given.length - CLAIMS_MAX)
    for (let count = 0; count < BURST; count++) await this.#readOne()
    await sleep(this.#random() * REST_MS)
  }

  async #readOne(): Promise<void> {
    const draw = this.#random()
    const key = this.#key()
    const { given, options } = this.#peer
    if (draw < 0.1) return await this.#peer.readRange(key, draw < 0.02 ? 'strict' : 'bounded')
    const via = draw < 0.3 && !options.readsStandby ? 'loader' : 'pool'
    const claim = given[Math.floor(this.#random() * given.length)]
    if (draw > 0.8 && claim !== undefined) await this.#peer.read({ key: claim.key, mode: 'atLeast', via, claim })
    else await this.#peer.read({ key, mode: draw > 0.7 ? 'strict' : 'bounded', via })
  }

  async #writeSome(): Promise<void> {
    const draw = this.#random()
    // That the database is away for a while is what some faults are.
    if (draw < 0.4) await this.#peer.writeByPool(this.#key()).catch(() => {})
    else if (draw < 0.8) await this.#peer.write(this.#key())
    else await this.#transaction(draw > 0.95)
    await sleep(this.#random() * WRITE_MS)
  }

  async #transaction(isRolledBack: boolean): Promise<void> {
    const keys = [...new Set([this.#key(), this.#key(), this.#key()])].sort((one, other) => one - other)
    await this.#peer.transaction(keys, async (client, write) => {
      await client.query('BEGIN')
      await write()
      await sleep(this.#random() * OPEN_MS)
      await client.query(isRolledBack ? 'ROLLBACK' : 'COMMIT')
      return !isRolledBack
    })
  }

  /** Few rows are asked for often. */
  #key(): number {
    return 1 + Math.floor(this.#random() ** 2 * this.#options.keys)
  }
}
