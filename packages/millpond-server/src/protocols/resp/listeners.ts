/** All places where a server listens, as the configuration says: `port` and `bind` may change while it runs. */

import type { Service } from '../../commands/service.ts'
import { ReplyError } from '../../engine/errors.ts'
import { RespListener } from './listener.ts'
import { SharedBuffers } from './shared-buffers.ts'

export class Listeners {
  readonly #service: Service
  readonly #shared = new SharedBuffers()
  /** By address and port. */
  #ports = new Map<string, RespListener>()
  readonly #others: RespListener[] = []
  #started = false

  constructor(service: Service) {
    this.#service = service
  }

  /** Listens. Addresses with '-' before them are left out where they are not there. Resolves with the port; 0: none. */
  async start(port: number): Promise<number> {
    const { configuration } = this.#service
    const path = configuration.text('unixsocket')
    let taken = port
    for (const host of port === 0 && path !== '' ? [] : this.#hosts()) {
      const listener = new RespListener(this.#service, this.#shared)
      try {
        taken = await listener.listen({ host: addressOf(host), port: taken })
        this.#ports.set(placeOf(host, taken), listener)
      } catch (error) {
        if (!host.startsWith('-')) throw error
      }
    }
    if (path !== '') {
      const listener = new RespListener(this.#service, this.#shared)
      await listener.listen({ path, mode: Number.parseInt(configuration.text('unixsocketperm'), 8) })
      this.#others.push(listener)
    }
    if (taken !== port) configuration.start('port', String(taken))
    for (const name of ['port', 'bind']) configuration.follow(name, () => this.#move())
    this.#started = true
    return taken
  }

  /** Stops accepting. */
  stop(): void {
    for (const listener of [...this.#ports.values(), ...this.#others]) listener.stop()
  }

  /** Ends all connections, once what was answered is sent. */
  async close(): Promise<void> {
    await Promise.all([...this.#ports.values(), ...this.#others].map((listener) => listener.close()))
  }

  /** Listens elsewhere from now on. Connections that are there stay. @throws ReplyError it cannot, and nothing has changed */
  #move(): void {
    if (!this.#started) return
    const port = this.#service.configuration.number('port')
    const hosts = port === 0 ? [] : this.#hosts()
    const wanted = new Map<string, RespListener>()
    for (const host of hosts) {
      const place = placeOf(host, port)
      const listener = this.#ports.get(place) ?? new RespListener(this.#service, this.#shared)
      const listens = this.#ports.has(place) || listener.listenNow(addressOf(host), port)
      if (listens) wanted.set(place, listener)
      else if (!host.startsWith('-')) {
        for (const [other, opened] of wanted) if (!this.#ports.has(other)) opened.stop()
        throw new ReplyError('Unable to listen on this port. Check server logs.')
      }
    }
    for (const [place, listener] of this.#ports) {
      if (wanted.has(place)) continue
      listener.stop()
      this.#others.push(listener)
    }
    this.#ports = wanted
  }

  #hosts(): string[] {
    return this.#service.configuration.text('bind').split(' ').filter(Boolean)
  }
}

function placeOf(host: string, port: number): string {
  return `${addressOf(host)} ${port}`
}

function addressOf(host: string): string {
  const address = host.replace(/^-/, '')
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address
}
