/** What tests of a feed look through: connections that are closed at the end, a listener that remembers, a bad wire. */
import net from 'node:net'
import pg from 'pg'
import type { FeedListener } from '../../packages/millpond/src/core/feed.ts'
import type { PostgresServer } from './postgres.ts'

/** Connections of one test file; `end` closes them all. */
export class Sessions {
  private readonly clients: pg.Client[] = []
  private readonly server: PostgresServer

  constructor(server: PostgresServer) {
    this.server = server
  }

  /** A connection of its own. That its server dies under it is what some tests are about, so nobody is told. */
  async open(target: { database?: string; user?: string } = {}): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.server.urlOf(target) })
    client.on('error', () => {})
    this.clients.push(client)
    await client.connect()
    return client
  }

  /** Connections that take turns; who opens them ends them. */
  pool(max: number): pg.Pool {
    return new pg.Pool({ connectionString: this.server.url, max }).on('error', () => {})
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.end().catch(() => {})))
  }
}

type Event = { kind: 'invalidate' | 'settle'; tags: readonly string[] } | { kind: 'reset'; reason: string }

/** Remembers what a feed tells, and wakes who waits for it. */
export class FeedRecorder implements FeedListener {
  readonly events: Event[] = []
  private readonly waiting = new Set<() => void>()

  invalidate(tags: readonly string[]): void {
    this.add({ kind: 'invalidate', tags })
  }

  settle(tags: readonly string[]): void {
    this.add({ kind: 'settle', tags })
  }

  reset(reason: string): void {
    this.add({ kind: 'reset', reason })
  }

  /** The tags of each `invalidate` so far. */
  get invalidated(): (readonly string[])[] {
    return this.events.flatMap((event) => (event.kind === 'invalidate' ? [event.tags] : []))
  }

  get settledTags(): (readonly string[])[] {
    return this.events.flatMap((event) => (event.kind === 'settle' ? [event.tags] : []))
  }

  get resets(): string[] {
    return this.events.flatMap((event) => (event.kind === 'reset' ? [event.reason] : []))
  }

  clear(): void {
    this.events.length = 0
  }

  /** Resolves once `met` is true; looked at after each event. The test's own time limit ends a wait in vain. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = (): void => {
        if (!met()) return
        this.waiting.delete(look)
        resolve()
      }
      this.waiting.add(look)
    })
  }

  private add(event: Event): void {
    this.events.push(event)
    for (const look of [...this.waiting]) look()
  }
}

/** A wire between the feed and its server that can go dead without closing, or be cut. */
export class TcpProxy {
  private readonly server: net.Server
  private readonly pairs = new Set<{ near: net.Socket; far: net.Socket }>()
  private stalled = false
  private target: number

  private constructor(server: net.Server, target: number) {
    this.server = server
    this.target = target
  }

  static async to(port: number): Promise<TcpProxy> {
    const server = net.createServer()
    const proxy = new TcpProxy(server, port)
    server.on('connection', (near) => proxy.join(near))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    return proxy
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port
  }

  /** New connections lead to this port. */
  lead(port: number): void {
    this.target = port
  }

  /** From now on nothing passes, in either direction, on old and new connections; none is closed. */
  stall(): void {
    this.stalled = true
    for (const { near, far } of this.pairs) {
      near.pause()
      far.pause()
    }
  }

  resume(): void {
    this.stalled = false
    for (const { near, far } of this.pairs) {
      near.resume()
      far.resume()
    }
  }

  /** Breaks all connections. */
  cut(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    this.pairs.clear()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }

  private join(near: net.Socket): void {
    const far = net.connect(this.target, '127.0.0.1')
    const pair = { near, far }
    this.pairs.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        this.pairs.delete(pair)
      })
      if (this.stalled) from.pause()
    }
  }
}
