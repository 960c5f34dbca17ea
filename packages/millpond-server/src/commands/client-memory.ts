/** What the clients of a cache take: it is room that keys do not have, and above `maxmemory-clients` the largest leave. */
import type { Client } from './client.ts'
import { clientBytes } from './client-info.ts'
import type { Service } from './service.ts'

/** The cache is told of changes from this size on. */
const STEP_BYTES = 16 * 1024

/**
 * Each client's share is counted when something of it changes: bytes came, answers wait, keys are watched. So the sum is known
 * at any time without asking everybody; before somebody has to leave, all are asked.
 */
export class ClientMemory {
  readonly #service: Service
  /** `maxmemory-clients`, in bytes. Infinity: no bound. */
  #max = Number.POSITIVE_INFINITY
  #sum = 0
  /** What the cache was told last. */
  #told = 0

  constructor(service: Service) {
    this.#service = service
    for (const name of ['maxmemory-clients', 'maxmemory']) service.configuration.follow(name, () => this.#limit())
  }

  /** Bytes of all clients. */
  get bytes(): number {
    return this.#sum
  }

  /** Counts what a client takes now. @param coming bytes that have come and are not kept yet */
  count(client: Client, coming = 0): void {
    const bytes = client.isClosing ? 0 : clientBytes(client) + coming
    if (bytes === client.countedBytes) return
    this.#sum += bytes - client.countedBytes
    client.countedBytes = bytes
    if (this.#sum > this.#max) this.bound()
    this.#tell()
  }

  /** Forgets a client that is gone. */
  release(client: Client): void {
    this.#sum -= client.countedBytes
    client.countedBytes = 0
    this.#tell()
  }

  /** Counts all, and ends the largest until what is left is within the bound. */
  bound(): void {
    const { clients, statistics } = this.#service
    const max = this.#max
    // Meanwhile nobody is ended by being counted.
    this.#max = Number.POSITIVE_INFINITY
    for (const client of clients.values()) this.count(client)
    this.#max = max
    if (this.#sum <= max) return
    const largest = [...clients.values()].sort((one, other) => other.countedBytes - one.countedBytes)
    for (const client of largest) {
      if (this.#sum <= max) return
      if (client.noEvict || client.isClosing) continue
      client.close('now')
      this.release(client)
      statistics.clientsEvicted++
    }
  }

  #tell(): void {
    if (Math.abs(this.#sum - this.#told) < STEP_BYTES) return
    this.#told = this.#sum
    this.#service.cache.setReserved(this.#sum)
  }

  #limit(): void {
    const { configuration, cache } = this.#service
    const given = configuration.text('maxmemory-clients')
    const percent = (configuration.number('maxmemory') || cache.capacity) / 100
    const bytes = given.endsWith('%') ? percent * Number.parseInt(given, 10) : Number(given)
    this.#max = bytes === 0 ? Number.POSITIVE_INFINITY : bytes
    if (this.#sum > this.#max) this.bound()
  }
}
