import { StoreError } from '../../core/errors.ts'
import { openLine, type Single, type SubscribedLine } from './bus-line.ts'
import { type Connection, connectionOver } from './connection.ts'

/** What tracking at one server needs. */
export interface TrackedServerOptions {
  /** The connection whose own writes are not told. */
  readonly single: Single
  /** What the keys begin with. */
  readonly prefixes: readonly string[]
  /** A channel that nobody else uses. */
  readonly probe: string
  /** Keys that were written; `undefined`: all of them may have been. */
  readonly onKeys: (keys: readonly string[] | undefined) => void
  readonly onDown: (reason: unknown) => void
  readonly nowMs: () => number
}

/** One server that tells what is written to it: a connection that asked for it, and one that is told. */
export class TrackedServer {
  readonly client: Single['client']
  readonly #options: TrackedServerOptions
  readonly #connection: Connection
  #line: SubscribedLine | undefined
  #stopWatching: (() => void) | undefined
  #echoAtMs = 0
  #closed = false

  constructor(options: TrackedServerOptions) {
    this.#options = options
    this.client = options.single.client
    this.#connection = connectionOver(options.single)
  }

  /** Begins. From when this resolves nothing is missed. */
  async start(nowMs: number, signal: AbortSignal): Promise<void> {
    const { single, prefixes, probe, onDown } = this.#options
    this.#echoAtMs = nowMs
    const hear = (channel: string, payload: unknown): void => this.#hear(channel, payload)
    this.#line = await openLine(single, { channels: [INVALIDATE, probe], hear, onDown, signal, named: true })
    if (this.#closed) return this.#line.close()
    // What an earlier line was told by would not end by itself.
    await this.#connection.send(['client', 'tracking', 'off'])
    const prefixArgs = prefixes.flatMap((prefix) => ['prefix', prefix])
    const redirect = ['redirect', `${this.#line.id}`, 'bcast', 'noloop']
    await this.#connection.send(['client', 'tracking', 'on', ...redirect, ...prefixArgs])
    if (!this.#closed)
      this.#stopWatching = this.#connection.watch(() => onDown(new StoreError('the client lost its connection')))
  }

  /** @throws StoreError when keys are not told any more */
  async check(lateMs: number): Promise<void> {
    const [told] = await Promise.all([
      this.#connection.send(['client', 'trackinginfo']),
      this.#connection.send(['publish', this.#options.probe, '']),
    ])
    const info = wordsOf(told)
    const redirect = info[info.indexOf('redirect') + 1]
    const isTold = info.includes('bcast') && !info.includes('broken_redirect') && redirect === `${this.#line?.id}`
    if (!isTold) throw new StoreError('the server does not track any more')
    const sinceMs = this.#options.nowMs() - this.#echoAtMs
    if (sinceMs >= lateMs) throw new StoreError(`nothing came back for ${Math.round(sinceMs)} ms`)
  }

  /** Leaves the client's connection as it was. */
  async stop(): Promise<void> {
    this.#stopWatching?.()
    await this.#connection.send(['client', 'tracking', 'off']).catch(() => {})
  }

  close(): void {
    this.#closed = true
    this.#stopWatching?.()
    this.#line?.close()
  }

  #hear(channel: string, payload: unknown): void {
    this.#echoAtMs = this.#options.nowMs()
    if (channel === INVALIDATE) this.#options.onKeys(Array.isArray(payload) ? payload.map(String) : undefined)
  }
}

/** Where a connection of RESP2 is told. */
const INVALIDATE = '__redis__:invalidate'

/** All texts and numbers of an answer, in their order, whatever a client makes of lists and maps. */
function wordsOf(answer: unknown): string[] {
  if (answer instanceof Map) return wordsOf([...answer])
  if (Buffer.isBuffer(answer) || typeof answer !== 'object' || answer === null) return [String(answer)]
  return (Array.isArray(answer) ? answer : Object.entries(answer)).flatMap(wordsOf)
}
