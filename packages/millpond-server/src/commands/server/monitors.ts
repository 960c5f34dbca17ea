/** Clients that watch all commands go by: MONITOR. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Client } from '../client.ts'
import { SERVICE_MODE } from '../modes.ts'
import { quoteWord } from '../quoted-words.ts'
import type { Service } from '../service.ts'

export class Monitors {
  readonly #service: Service
  readonly #clients = new Set<Client>()

  constructor(service: Service) {
    this.#service = service
  }

  has(client: Client): boolean {
    return this.#clients.has(client)
  }

  add(client: Client): void {
    this.#clients.add(client)
    this.#service.setMode(SERVICE_MODE.MONITORED, true)
  }

  leave(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#service.setMode(SERVICE_MODE.MONITORED, false)
  }

  /** Tells them of a command. */
  tell(client: Client, args: Arguments, secrets?: ReadonlySet<number>): void {
    const { time } = this.#service
    const seconds = (time.nowMs / 1000).toFixed(6)
    const from = client.monitorName
    const words = Array.from({ length: args.count }, (_, at) =>
      secrets?.has(at) ? '"(redacted)"' : quoteWord(args.text(at)),
    )
    const line = `${seconds} [${client.db.index} ${from}] ${words.join(' ')}`
    for (const monitor of this.#clients) monitor.push((reply) => reply.simple(line))
  }
}
