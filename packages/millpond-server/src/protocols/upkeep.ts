/** What is looked after ten times a second: clients that say nothing, that do not read, or that take too much memory. */
import type { Client } from '../commands/client.ts'
import type { Host } from '../commands/host.ts'
import { CLIENT_MODE } from '../commands/modes.ts'
import type { Service } from '../commands/service.ts'

const EVERY_MS = 100
const SAMPLE_EVERY = 10

export class Upkeep {
  readonly #host: Host
  /** Since when a client has been above its soft limit. */
  readonly #aboveSince = new WeakMap<Client, number>()
  #timer: NodeJS.Timeout | undefined
  #turns = 0

  constructor(host: Host) {
    this.#host = host
  }

  start(): void {
    this.#timer = setInterval(() => this.turn(), EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One look at everybody. */
  turn(): void {
    this.#turns++
    for (const service of this.#host.services.values()) this.#look(service)
  }

  #look(service: Service): void {
    service.time.tick()
    if (this.#turns % SAMPLE_EVERY === 0) service.statistics.sample()
    for (const client of service.clients.values()) {
      if (this.#isIdle(client)) {
        service.statistics.idleKicks++
        client.close('now')
      } else if (this.#readsTooLittle(client)) client.close('now')
      service.clientMemory.count(client)
    }
    service.endBatch()
  }

  #isIdle(client: Client): boolean {
    const { time, monitors } = client.service
    const { settings } = this.#host.home
    if (settings.idleSeconds === 0 || client.waiting || monitors.has(client)) return false
    if ((client.modes & CLIENT_MODE.SUBSCRIBED) !== 0) return false
    return time.nowMs - client.activeAtMs > settings.idleSeconds * 1000
  }

  #readsTooLittle(client: Client): boolean {
    const { soft, softMs, hard } = client.outputLimits
    const bytes = client.outputBytes
    if (bytes >= hard) return true
    if (bytes < soft) {
      this.#aboveSince.delete(client)
      return false
    }
    const { nowMs } = client.service.time
    const since = this.#aboveSince.get(client) ?? nowMs
    this.#aboveSince.set(client, since)
    return nowMs - since > softMs
  }
}
