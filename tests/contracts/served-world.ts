/** A world on a real store, in real time. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { type Cache, type CacheOptions, createCache, type Store } from 'millpond'
import { MemoryBusHub } from 'millpond/testing'
import { Database, type RaceWorld } from './world.ts'

let worlds = 0

export class ServedWorld implements RaceWorld {
  readonly database = new Database()
  readonly hub = new MemoryBusHub()
  readonly store: Store
  readonly #options: CacheOptions
  readonly #name = `shop-${process.pid}-${++worlds}`
  /** Calls that the store has not answered yet. */
  #underWay = 0
  /** How long who waits for the load of another process may take to look again, and some more. */
  #looksMs = 0

  constructor(store: Store, options: CacheOptions = {}) {
    this.#options = options
    this.store = new Proxy(store, {
      get: (target, method: keyof Store) => {
        const member = target[method] as unknown
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.#counted(member.apply(target, args))
      },
    })
  }

  /** A busy machine may keep a store from answering in time: that is not what is tried here. */
  cache(options: CacheOptions = {}): Cache {
    if (options.lock === 'store') this.#looksMs = 25
    return createCache({ name: this.#name, storeTimeout: '1m', fence: '4m', ...this.#options, ...options })
  }

  /** Lets everything that is ready run, until the store has nothing to answer, and nobody is about to look again. */
  async settle(): Promise<void> {
    await this.#quiet()
    if (this.#looksMs === 0) return
    await sleep(this.#looksMs)
    await this.#quiet()
  }

  async #quiet(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 3; ) {
      await turn()
      quietTurns = this.#underWay === 0 ? quietTurns + 1 : 0
    }
  }

  #counted(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer
    this.#underWay++
    return answer.finally(() => void this.#underWay--)
  }

  async pass(ms: number): Promise<void> {
    await sleep(ms)
  }
}
