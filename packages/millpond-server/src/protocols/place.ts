/** Where a server of Node listens: on a port, or on a Unix socket. */
import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import type { Configuration } from '../commands/configuration/configuration.ts'
import type { ListenAt } from './listening.ts'

export class Place {
  readonly #server: Server
  readonly #configuration: Configuration
  #path: string | undefined

  constructor(server: Server, configuration: Configuration) {
    this.#server = server
    this.#configuration = configuration
  }

  /** See `Listening`. */
  listen(at: ListenAt): Promise<number> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      const listening = (): void => {
        server.off('error', reject)
        const address = server.address()
        if ('path' in at && at.mode) chmodSync(at.path, at.mode)
        resolve(typeof address === 'object' && address ? address.port : 0)
      }
      if ('path' in at) {
        rmSync(at.path, { force: true })
        this.#path = at.path
        server.listen({ path: at.path, backlog: this.#backlog }, listening)
      } else server.listen({ port: at.port, host: at.host, backlog: this.#backlog }, listening)
    })
  }

  listenNow(host: string, port: number): boolean {
    this.#server.on('error', () => {})
    this.#server.listen({ port, host, backlog: this.#backlog })
    return this.#server.address() !== null
  }

  stop(): void {
    this.#server.close()
    if (this.#path !== undefined) rmSync(this.#path, { force: true })
  }

  get #backlog(): number {
    return this.#configuration.number('tcp-backlog')
  }
}
