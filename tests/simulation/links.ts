/** The network of the simulation: connections to one store that hold back, fail and lose; a bus that is late and is cut. */
import type { Bus, BusMessage, BusReceiver, Store } from 'millpond'
import type { Scheduler } from './scheduler.ts'

/**
 * One process's connection to the store. Requests arrive in their order, each when it is drawn, and so do answers. A
 * connection that is down loses requests; one that loses answers has done what was asked. What arrives is done, however
 * late, and whether or not somebody still waits for it.
 */
export class StoreLink {
  isDown = false
  losesAnswers = false
  readonly #scheduler: Scheduler
  #last: Promise<unknown> = Promise.resolve()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  wrap(store: Store): Store {
    return new Proxy(store, {
      get: (target, method: keyof Store) => {
        const member = target[method] as unknown
        if (typeof member !== 'function') return member
        if (method === 'close') return async () => {} // the store is used by later schedules
        if (method === 'watch') return member.bind(target)
        return (...args: unknown[]) => this.#call(() => (member as (...args: unknown[]) => unknown).apply(target, args)) // biome-ignore format: one line
      },
    })
  }

  async #call(make: () => unknown): Promise<unknown> {
    const before = this.#last
    const made = (async () => {
      await before
      await this.#scheduler.pause()
      if (this.isDown) throw new Error('the connection is down')
      return await this.#scheduler.outside(make())
    })()
    this.#last = made.catch(() => {})
    const result = await made
    await this.#scheduler.pause()
    if (this.losesAnswers) await new Promise(() => {})
    return result
  }
}

export const STORE_TIMEOUT_MS = 50

/** A bus that brings messages when they are drawn, in the order of each sender. */
export class SimulatedBus {
  readonly #scheduler: Scheduler
  readonly ends: SimulatedEnd[] = []

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  connect(): SimulatedEnd {
    const end = new SimulatedEnd(this.#scheduler, this.ends, this.ends.length)
    this.ends.push(end)
    return end
  }
}

export class SimulatedEnd implements Bus {
  readonly id: number
  /** How many messages it sent. */
  sent = 0
  /** Of each sender, how many messages are accounted for here: heard, or told of as a gap. */
  readonly heard: number[] = []
  isCut = false
  /** Does not tell of gaps: a bus that breaks its contract. */
  hidesGaps = false
  readonly #scheduler: Scheduler
  readonly #all: readonly SimulatedEnd[]
  readonly #inbox: Promise<unknown>[] = []
  #receiver: BusReceiver | undefined
  #hasLost = false

  constructor(scheduler: Scheduler, all: readonly SimulatedEnd[], id: number) {
    this.#scheduler = scheduler
    this.#all = all
    this.id = id
  }

  async publish(message: BusMessage): Promise<void> {
    const number = ++this.sent
    for (const end of this.#all) if (end !== this) end.#bring(this, number, message)
  }

  subscribe(receiver: BusReceiver): () => void {
    this.#receiver = receiver
    return () => {
      this.#receiver = undefined
    }
  }

  async close(): Promise<void> {}

  /** Connects again, and tells of the gap wherever messages were lost. */
  heal(): void {
    if (!this.isCut) return
    this.isCut = false
    this.#tellGap()
    for (const end of this.#all) if (end.#hasLost) end.#tellGap()
  }

  #tellGap(): void {
    if (this.isCut) return
    this.#hasLost = false
    if (!this.hidesGaps) this.#receiver?.gap()
    for (const end of this.#all) this.heard[end.id] = end.sent - end.#underWay(this)
  }

  /** Messages of this end that are still on their way to `to`. */
  #underWay(to: SimulatedEnd): number {
    return this.sent - (to.#arrived[this.id] ?? 0)
  }

  readonly #arrived: number[] = []

  #bring(from: SimulatedEnd, number: number, message: BusMessage): void {
    const before = this.#inbox[from.id] ?? Promise.resolve()
    this.#inbox[from.id] = before.then(async () => {
      await this.#scheduler.pause()
      this.#arrived[from.id] = number
      if (this.isCut || from.isCut) {
        this.#hasLost = true
        return
      }
      this.#receiver?.message(message)
      if (!this.#hasLost) this.heard[from.id] = number
    })
  }
}
