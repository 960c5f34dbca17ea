/** Who gives commands by HTTP: for one request at a time, and with nothing left of it for the next. */
import type { Socket } from 'node:net'
import { Client } from '../../commands/client.ts'
import { renew } from '../../commands/connection/reset.ts'
import { wrongPassword } from '../../commands/connection/sign-in.ts'
import { execute } from '../../commands/executor.ts'
import type { Host } from '../../commands/host.ts'
import { CLIENT_MODE } from '../../commands/modes.ts'
import type { Reply } from '../../engine/reply.ts'
import { type Credentials, isSame } from './credentials.ts'
import { type Value, ValueReply } from './value-reply.ts'
import { argumentsOf } from './words.ts'

/** A command that waits is answered after so long as if its own time were over. */
const WAIT_MS_MAX = 60_000

/** Commands that change what their client is. */
const CHANGING: ReadonlySet<string> = new Set([
  ...['auth', 'hello', 'reset', 'quit', 'select', 'multi', 'watch', 'monitor'],
  ...['subscribe', 'psubscribe', 'ssubscribe', 'topic|subscribe'],
  ...['caching', 'no-evict', 'no-touch', 'reply', 'setinfo', 'setname', 'tracking'].map((name) => `client|${name}`),
])

export class HttpClient extends Client {
  /** Whether a request uses it. */
  busy = false
  /** Whether its connection is to end with the answer. */
  closing = false
  /** Where messages go that nobody asked for: of a stream of events. */
  events: Reply | undefined
  /** Ends that stream. */
  endEvents: (() => void) | undefined
  readonly #host: Host
  readonly #socket: Socket
  /** To the command that runs or waits; `undefined`: it has not answered. */
  #answer: Value | undefined
  /** As whom it acts by now; `undefined`: as anybody may. */
  #credentials: Credentials | undefined
  #resumed: (() => void) | undefined
  #isChanged = false
  /** What has come of the body that is being read. */
  #bodyBytes = 0

  constructor(host: Host, socket: Socket) {
    super(host.nextClientId(), host.home)
    this.#host = host
    this.#socket = socket
    host.home.clients.set(this.id, this)
    host.home.accessControl.welcome(this)
  }

  override get address(): string {
    const { remoteAddress, remotePort } = this.#socket
    return placeOf(remoteAddress, remotePort, this.#host)
  }

  override get localAddress(): string {
    const { localAddress, localPort } = this.#socket
    return placeOf(localAddress, localPort, this.#host)
  }

  override get outputBytes(): number {
    return this.#socket.writableLength
  }

  override get inputMemory(): number {
    return this.#bodyBytes
  }

  override get isClosing(): boolean {
    return this.closing
  }

  override push(write: (reply: Reply) => void): void {
    if (this.events === undefined || this.closing) return
    write(this.events)
    if (this.outputBytes > this.outputLimits.hard) this.close('now')
  }

  /** Later, when no command runs: what follows runs others. */
  override resume(): void {
    const resumed = this.#resumed
    this.#resumed = undefined
    if (resumed) process.nextTick(resumed)
  }

  override close(when: 'now' | 'after the answer'): void {
    this.closing = true
    if (when === 'now') this.#socket.destroy()
    else if (this.busy) this.endEvents?.()
    else this.#socket.destroySoon()
  }

  /** Is from now on who a request says that it is. @throws ReplyError that is not so */
  become(credentials: Credentials | undefined): void {
    if (this.lost === undefined && isSame(credentials, this.#credentials)) return
    this.#renew()
    if (credentials === undefined) return
    const { name, secret } = credentials
    if (!this.service.authenticate(this, name, secret)) throw wrongPassword()
    this.#credentials = credentials
  }

  /**
   * Runs one command. `done` is called with its answer, at once or, of a command that waits, later: with the first one
   * where it answers more than once, with `null` where it does not (CLIENT REPLY OFF).
   */
  run(words: readonly (string | Uint8Array)[], done: (value: Value) => void): void {
    this.#answer = undefined
    // One of its own, as a command that is silent within EXEC leaves a list that is never whole.
    const reply = new ValueReply((value) => {
      if (this.#answer === undefined) this.#answer = value
    })
    this.#execute(words, reply)
    this.service.endBatch()
    if (this.waiting === undefined) done(this.#answer ?? null)
    else this.#await(done)
  }

  /** Runs a command that begins a stream of events: its answers, and what follows them, go to `events`. */
  stream(words: readonly (string | Uint8Array)[], events: Reply): void {
    this.events = events
    this.#execute(words, events)
    this.service.endBatch()
  }

  /** So much of a body has come, and is kept. */
  holds(bodyBytes: number): void {
    this.#bodyBytes = bodyBytes
    this.service.clientMemory.count(this)
  }

  /** Counts bytes that have come and gone. */
  count(bytesIn: number, bytesOut: number): void {
    const { statistics } = this.service
    statistics.bytesIn += bytesIn
    statistics.bytesOut += bytesOut
    if ((this.modes & CLIENT_MODE.METERED) !== 0) this.chargeBytes(bytesIn, bytesOut)
  }

  /** A request is over: the next one finds nothing of it but who the client is. */
  rest(): void {
    this.busy = false
    this.#bodyBytes = 0
    this.events = undefined
    this.endEvents = undefined
    if (this.#isChanged) this.#renew()
  }

  #execute(words: readonly (string | Uint8Array)[], reply: Reply): void {
    const { time } = this.service
    time.tick()
    this.activeAtMs = time.nowMs
    execute(this, argumentsOf(words), reply)
    this.#isChanged ||= CHANGING.has(this.lastCommand?.fullName ?? '')
  }

  #await(done: (value: Value) => void): void {
    const { waiting, service } = this
    const timer = setTimeout(() => {
      if (this.waiting === waiting) service.waiters.end(this, 'time is over')
    }, WAIT_MS_MAX).unref()
    this.#resumed = () => {
      clearTimeout(timer)
      done(this.#answer ?? null)
    }
  }

  #renew(): void {
    this.#isChanged = false
    this.#credentials = undefined
    renew(this)
  }
}

/** Of a Unix socket its path. */
function placeOf(address: string | undefined, port: number | undefined, { home }: Host): string {
  if (address === undefined) return `${home.configuration.text('http-unixsocket')}:0`
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}
