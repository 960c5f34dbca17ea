/** Where a server of Node listens: on a port, or on a Unix socket. */
import { chmodSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, isIP, type ListenOptions, type Server } from 'node:net'
import type { Configuration } from '../commands/configuration/configuration.ts'
import type { ListenAt } from './listening.ts'

/** Whether sockets of several threads have one port, and whether this is the first of them. */
export type PortSharing = 'none' | 'first' | 'more'

/** Its socket, where a server of Node has one. */
interface HasDescriptor {
  readonly _handle?: { readonly fd?: number } | null
}

/** What Node's `listen` comes to once a name is looked up, which puts it off even for a number: known by its shape. */
interface ListensAtOnce {
  _listen2?(address: string, port: number, family: number, backlog: number): void
}

export class Place {
  readonly #server: Server
  readonly #configuration: Configuration
  readonly #sharing: PortSharing
  #path: string | undefined

  constructor(server: Server, configuration: Configuration, sharing: PortSharing = 'none') {
    this.#server = server
    this.#sharing = sharing
    this.#configuration = configuration
  }

  get fd(): number | undefined {
    return (this.#server as HasDescriptor)._handle?.fd
  }

  /** See `Listening`. */
  async listen(at: ListenAt): Promise<number> {
    const isFirst = 'port' in at && this.#sharing === 'first'
    return await this.#listen(isFirst ? { host: at.host, port: await freePort(at) } : at)
  }

  #listen(at: ListenAt): Promise<number> {
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
      } else if ('fd' in at) server.listen({ fd: at.fd, backlog: this.#backlog }, listening)
      else server.listen(this.#options(at.host, at.port), listening)
    })
  }

  listenNow(host: string, port: number): boolean {
    this.#server.on('error', () => {})
    const inside = this.#server as unknown as ListensAtOnce
    if (typeof inside._listen2 !== 'function') return false
    inside._listen2(host, port, isIP(host), this.#backlog)
    return this.#server.address() !== null
  }

  stop(): void {
    this.#server.close()
    if (this.#path !== undefined) rmSync(this.#path, { force: true })
  }

  #options(host: string, port: number): ListenOptions & { readonly reusePort?: boolean } {
    const options = { host, port, backlog: this.#backlog }
    return this.#sharing === 'none' ? options : { ...options, reusePort: true }
  }

  get #backlog(): number {
    return this.#configuration.number('tcp-backlog')
  }
}

/** A port that is shared is never said to be taken: so it is asked for alone first. */
async function freePort({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  const address = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return address.port
}
