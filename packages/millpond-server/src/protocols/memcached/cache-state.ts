/** What the protocol keeps of one cache: counters, and a flush that is to come. */
import type { Timer } from 'millpond'
import type { Client } from '../../commands/client.ts'
import type { Service } from '../../commands/service.ts'
import { Counters } from './counters.ts'
import { Prefixes } from './prefixes.ts'

/** Timers of Node reach no further. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class CacheState {
  readonly counters: Counters = new Counters()
  /** What `stats detail on` began to gather. */
  prefixes: Prefixes | undefined
  /** As `stats detail dump` tells them when they are no longer gathered. */
  readonly allPrefixes: Prefixes = new Prefixes()
  /** Evictions that `stats reset` has let be forgotten. */
  evictedBefore = 0
  /** When everything goes that is there then; Infinity: never. */
  flushAtMs: number = Number.POSITIVE_INFINITY
  readonly #service: Service
  #timer: Timer | undefined

  constructor(service: Service) {
    this.#service = service
    service.endings.push(async () => this.#timer?.cancel())
  }

  /** `flush_all` of a client, at a moment. What was to come before is not, then. */
  flush(client: Client, atMs: number): void {
    this.#timer?.cancel()
    this.flushAtMs = atMs
    if (atMs <= this.#service.time.nowMs) this.#flush(client)
    else this.#wait(client)
  }

  /** Flushes if it is time: timers may be late, so each batch asks. */
  flushIfDue(client: Client): void {
    if (this.flushAtMs <= this.#service.time.nowMs) this.flush(client, this.flushAtMs)
  }

  #flush(client: Client): void {
    this.flushAtMs = Number.POSITIVE_INFINITY
    const { service, db } = client
    db.clear()
    service.logs.also(db, ['FLUSHDB'])
  }

  #wait(client: Client): void {
    const { time } = this.#service
    this.#timer = time.after(Math.min(this.flushAtMs - time.nowMs, TIMER_MS_MAX), () => {
      time.tick()
      if (time.nowMs >= this.flushAtMs) this.#flush(client)
      else this.#wait(client)
    })
  }
}

const STATES = new WeakMap<Service, CacheState>()

export function stateOf(service: Service): CacheState {
  let state = STATES.get(service)
  if (state === undefined) {
    state = new CacheState(service)
    STATES.set(service, state)
  }
  return state
}
