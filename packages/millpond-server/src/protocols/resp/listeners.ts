/** All places where a server listens, as the configuration says: `port` and `bind` may change while it runs. */

import type { Service } from '../../commands/service.ts'
import { ReplyError } from '../../engine/errors.ts'
import { RespListener } from './listener.ts'
import { SharedBuffers } from './shared-buffers.ts'

export class Listeners {
  readonly #service: Service
  readonly #shared = new SharedBuffers()
  #ports: RespListener[] = []
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
        this.#ports.push(listener)
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
    for (const listener of [...this.#ports, ...this.#others]) listener.stop()
  }

  /** Ends all connections, once what was answered is sent. */
  async close(): Promise<void> {
    await Promise.all([...this.#ports, ...this.#others].map((listener) => listener.close()))
  }

  /** Listens elsewhere from now on. Connections that are there stay. @throws ReplyError it cannot */
  #move(): void {
    if (!this.#started) return
    const port = this.#service.configuration.number('port')
    const before = this.#ports
    for (const listener of before) listener.stop()
    this.#ports = []
    for (const host of port === 0 ? [] : this.#hosts()) {
      const listener = new RespListener(this.#service, this.#shared)
      if (listener.listenNow(addressOf(host), port)) this.#ports.push(listener)
      else if (!host.startsWith('-')) throw new ReplyError('Unable to listen on this port. Check server logs.')
    }
    this.#others.push(...before)
  }

  #hosts(): string[] {
    return this.#service.configuration.text('bind').split(' ').filter(Boolean)
  }
}

function addressOf(host: string): string {
  const address = host.replace(/^-/, '')
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address
}
