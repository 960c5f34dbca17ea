/** One connection that speaks HTTP: the clients that its requests act by. */
import type { Socket } from 'node:net'
import type { Host } from '../../commands/host.ts'
import { HttpClient } from './client.ts'

/**
 * One request comes after the other as a rule, so one client serves them all, and stays who it is: a token is verified
 * once a connection. While that one waits, as for a message of a topic, requests that follow it have clients of their own.
 */
export class HttpConnection {
  readonly #host: Host
  readonly #socket: Socket
  readonly #first: HttpClient
  readonly #others = new Set<HttpClient>()

  constructor(host: Host, socket: Socket) {
    this.#host = host
    this.#socket = socket
    this.#first = new HttpClient(host, socket)
  }

  /** A client for one request. */
  take(): HttpClient {
    const client = this.#first.busy ? new HttpClient(this.#host, this.#socket) : this.#first
    client.busy = true
    if (client !== this.#first) this.#others.add(client)
    return client
  }

  /** The request is over. */
  give(client: HttpClient): void {
    client.rest()
    if (client === this.#first) return
    this.#others.delete(client)
    client.leave()
  }

  /** Ends it: at once if nothing is asked, else with the answers, which whoever waits is given now. */
  end(): void {
    const clients = [this.#first, ...this.#others]
    for (const client of clients) client.close('after the answer')
    for (const client of clients) client.service.waiters.end(client, 'time is over')
  }

  /** The connection is gone. */
  leave(): void {
    for (const client of [this.#first, ...this.#others]) client.leave()
    this.#others.clear()
  }
}
