/**
 * A TCP proxy on loopback that hurts what passes: it loses or holds back bytes, delays, resets, or is gone. It also counts
 * the commands that pass.
 */
import net from 'node:net'
import { CommandCounter } from './command-counter.ts'
import { servicePort } from './port.ts'

/** Which way bytes go. */
export type Direction = 'toServer' | 'toClient'

/** A running proxy. Faults last until `heal`, and hold for connections that are opened meanwhile too. */
export interface FaultyProxy extends AsyncDisposable {
  /** On 127.0.0.1, and the same for ever. */
  readonly port: number
  /** How many connections are open. */
  readonly connections: number
  /**
   * Bytes of these directions vanish; by default both. A connection that lost any is reset by `heal`: its far end would
   * know nothing of it.
   */
  swallow(...directions: Direction[]): void
  /** Bytes of these directions wait, and arrive at `heal`, as after a partition that TCP outlives. By default both. */
  hold(...directions: Direction[]): void
  /** Every byte arrives so much later, each way. */
  delay(ms: number): void
  /** What is open never carries another byte and is told nothing, as when a firewall forgot it. New connections pass. */
  abandon(): void
  /** Resets what is open, once. New connections pass. */
  reset(): void
  /** Resets what is open and refuses connections. */
  cut(): Promise<void>
  /** Ends every fault. */
  heal(): Promise<void>
  /** Where connections that are opened from now on lead. */
  retarget(port: number): void
  /** How often each command passed to the server, by its name in capitals. */
  commands(): Record<string, number>
  /** Counts from zero. */
  forgetCommands(): void
  close(): Promise<void>
}

/** Starts a proxy to a port of 127.0.0.1. */
export async function startProxy(target: { readonly port: number }): Promise<FaultyProxy> {
  const proxy = new LoopbackProxy(await servicePort(), target.port)
  await proxy.listen()
  return proxy
}

class LoopbackProxy implements FaultyProxy {
  readonly port: number
  private target: number
  private listener: net.Server | undefined
  private readonly links = new Set<Link>()
  private readonly counter = new CommandCounter()
  private readonly fault: Fault = { toServer: 'pass', toClient: 'pass', delayMs: 0 }

  constructor(port: number, target: number) {
    this.port = port
    this.target = target
  }

  get connections(): number {
    return this.links.size
  }

  listen(): Promise<void> {
    const listener = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.accept(client))
    this.listener = listener
    return new Promise((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.port, '127.0.0.1', resolve)
    })
  }

  swallow(...directions: Direction[]): void {
    this.set('swallow', directions)
  }

  hold(...directions: Direction[]): void {
    this.set('hold', directions)
  }

  delay(ms: number): void {
    this.fault.delayMs = ms
  }

  abandon(): void {
    for (const link of this.links) link.abandon()
  }

  reset(): void {
    for (const link of this.links) link.reset()
  }

  async cut(): Promise<void> {
    const { listener } = this
    this.listener = undefined
    this.reset()
    if (listener !== undefined) await new Promise((resolve) => listener.close(resolve))
  }

  async heal(): Promise<void> {
    Object.assign(this.fault, { toServer: 'pass', toClient: 'pass', delayMs: 0 })
    for (const link of this.links) link.heal()
    if (this.listener === undefined) await this.listen()
  }

  retarget(port: number): void {
    this.target = port
  }

  commands(): Record<string, number> {
    return this.counter.counts()
  }

  forgetCommands(): void {
    this.counter.forget()
  }

  close(): Promise<void> {
    return this.cut()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private set(passage: Passage, directions: readonly Direction[]): void {
    const all: readonly Direction[] = directions.length === 0 ? ['toServer', 'toClient'] : directions
    for (const direction of all) this.fault[direction] = passage
  }

  private accept(client: net.Socket): void {
    const server = net.connect({ host: '127.0.0.1', port: this.target, noDelay: true, allowHalfOpen: true })
    const link = new Link(client, server, this.fault, this.counter.stream())
    this.links.add(link)
    client.once('close', () => this.links.delete(link))
  }
}

type Passage = 'pass' | 'swallow' | 'hold'

interface Fault extends Record<Direction, Passage> {
  delayMs: number
}

/** One connection of a client, and the one to the server that stands for it. */
class Link {
  private readonly client: net.Socket
  private readonly server: net.Socket
  private readonly ways: readonly Way[]

  constructor(client: net.Socket, server: net.Socket, fault: Fault, seen: (bytes: Buffer) => void) {
    this.client = client
    this.server = server
    const toServer = new Way(server, fault, 'toServer')
    const toClient = new Way(client, fault, 'toClient')
    this.ways = [toServer, toClient]
    client.on('data', (bytes) => {
      seen(bytes)
      toServer.take(bytes)
    })
    server.on('data', (bytes) => toClient.take(bytes))
    this.join(client, toServer)
    this.join(server, toClient)
  }

  reset(): void {
    for (const socket of [this.client, this.server]) socket.resetAndDestroy()
  }

  abandon(): void {
    for (const way of this.ways) way.isAbandoned = true
  }

  heal(): void {
    if (this.ways.some((way) => way.hasLost)) this.reset()
    else for (const way of this.ways) way.release()
  }

  /** What ends on one side ends on the other, in its place among the bytes. */
  private join(from: net.Socket, way: Way): void {
    from.on('end', () => way.take(undefined))
    from.on('error', () => this.reset())
  }
}

/** One direction of a connection. `undefined` among the bytes is their end. */
class Way {
  hasLost = false
  isAbandoned = false
  private readonly to: net.Socket
  private readonly fault: Fault
  private readonly direction: Direction
  private held: (Buffer | undefined)[] = []
  private readonly waiting: { readonly bytes: Buffer | undefined; readonly dueMs: number }[] = []

  constructor(to: net.Socket, fault: Fault, direction: Direction) {
    this.to = to
    this.fault = fault
    this.direction = direction
  }

  take(bytes: Buffer | undefined): void {
    const passage = this.fault[this.direction]
    if (this.isAbandoned) return
    if (passage === 'swallow') this.hasLost = true
    else if (passage === 'hold') this.held.push(bytes)
    else this.pass(bytes)
  }

  release(): void {
    for (const bytes of this.held.splice(0)) this.pass(bytes)
  }

  /** Nothing overtakes what waits, also when the delay gets shorter. */
  private pass(bytes: Buffer | undefined): void {
    this.waiting.push({ bytes, dueMs: performance.now() + this.fault.delayMs })
    if (this.waiting.length === 1) this.drain()
  }

  private drain(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const leftMs = next.dueMs - performance.now()
      if (leftMs > 0) {
        setTimeout(() => this.drain(), leftMs)
        return
      }
      this.waiting.shift()
      this.write(next.bytes)
    }
  }

  private write(bytes: Buffer | undefined): void {
    if (this.to.destroyed) return
    if (bytes === undefined) this.to.end()
    else this.to.write(bytes)
  }
}
