/**
 * An epoch of a process that has no slot: another one, the feeder, tells it what it reads. The commits come from there, in
 * order; what they prove is found out here. This process asks the database itself what is visible and how far the log is, on
 * a connection and a clock of its own, and has its answer when what the feeder has told reaches that far.
 */
import type { Timer } from '../../../core/clock.ts'
import { Failure, SessionClosed } from '../../epoch-end.ts'
import type { Asking } from '../connect.ts'
import type { Coverage } from '../coverage.ts'
import { type Lsn, parseLsn } from '../lsn.ts'
import type { FeedSettings } from '../options.ts'
import { ProvenSession } from '../proven-session.ts'
import { serverInfo } from '../server-info.ts'
import type { Session, SessionFacts, SessionHost } from '../session.ts'
import { Visibility } from '../visibility.ts'
import type { Watches } from '../watches.ts'
import type { FeederLock } from './feeder-lock.ts'
import type { FrameWriter } from './frames.ts'
import type { Line } from './line.ts'
import { type Asked, decodeMessage, TOLD, type Told, type Welcome } from './messages.ts'
import { Registrations, type RegistrationsOptions } from './registrations.ts'

/** How often a process that nobody feeds asks whether there is a feeder, and tries to become it. */
const HELLO_MS = 250
const LOCK_MS = 500
/** While the feeder is behind, how long until it is asked again. */
const PING_AGAIN_MS = 5

/** This process has the lock: from here on it is the feeder. */
export class BecomesFeeder extends Error {
  constructor() {
    super('this process feeds the others from here on')
  }
}

export interface FollowerOptions {
  readonly settings: FeedSettings
  readonly host: SessionHost
  readonly coverage: Coverage
  readonly watches: Watches
  /** A connection to the server that the loads go to. */
  readonly control: Asking
  readonly line: Line
  /** Left out: this process never becomes the feeder. */
  readonly lock?: FeederLock
}

export class FollowerSession extends ProvenSession implements Session {
  readonly facts: SessionFacts = {
    server: undefined,
    slot: undefined,
    role: 'follower',
    commits: 0,
    changes: 0,
    queries: 0,
  }
  private readonly options: FollowerOptions
  private readonly failure = new Failure()
  private readonly registrations: Registrations
  private readonly asks: FrameWriter
  private readonly timers: (Timer | undefined)[] = []
  private pingTimer: Timer | undefined
  private pingsAgain = false
  private hasFailed = false
  private greetedAtMs = Number.NEGATIVE_INFINITY
  private feeder: string | undefined
  private leave: (() => void) | undefined

  constructor(options: FollowerOptions) {
    super()
    this.options = options
    const { watches, line, settings } = options
    this.asks = line.ask()
    const send: RegistrationsOptions['send'] = (number, batch) => this.ask('watch', number, batch)
    this.registrations = new Registrations({ watches, clock: settings.clock, send })
  }

  bind(table: string | undefined, tag: string): void {
    this.visibility?.bind(table, tag)
    if (this.visibility) this.registrations.changed()
  }

  /** What is forgotten here the feeder may go on telling. */
  forgot(): void {}

  async run(): Promise<never> {
    try {
      await Promise.race([this.start(), this.failure.promise])
      return await this.failure.promise
    } finally {
      this.leave?.()
      this.registrations.stop()
      this.visibility?.end()
      this.pingTimer?.cancel()
      for (const timer of this.timers) timer?.cancel()
      this.failure.raise(new SessionClosed())
    }
  }

  close(): Promise<void> {
    this.failure.raise(new SessionClosed())
    return Promise.resolve()
  }

  /** From this moment on nothing is proven, and what is told behind it does not count. */
  private readonly fail = (error: Error): void => {
    this.hasFailed = true
    this.visibility?.end()
    this.failure.raise(error)
  }

  private async start(): Promise<void> {
    const { control, line, host, lock } = this.options
    this.facts.server = await serverInfo(control)
    this.leave = line.listen({
      told: (sender, text) => this.told(sender, text),
      // Whatever is missing shows with the next number: this makes the feeder say something.
      gap: () => this.ask('hello'),
    })
    host.waiting('waits for the process that feeds the others')
    this.every(HELLO_MS, 0, () => this.feeder === undefined && this.ask('hello'))
    this.ask('hello')
    if (lock) this.every(LOCK_MS, 1, () => this.tryLock(lock))
  }

  private every(delayMs: number, at: number, run: () => unknown): void {
    this.timers[at] = this.options.settings.clock.after(delayMs, () => {
      run()
      this.every(delayMs, at, run)
    })
  }

  private tryLock(lock: FeederLock): void {
    lock.tryTake().then((taken) => taken && this.fail(new BecomesFeeder()), this.fail)
  }

  private told(sender: string, text: string | undefined): void {
    const isOurs = sender === this.feeder
    if (text === undefined) {
      if (isOurs) this.fail(new Error('something that the feeder told was lost'))
      return
    }
    if (this.hasFailed) return
    const message = decodeMessage<Told>(text, TOLD)
    if (message?.[0] === 'welcome') this.welcome(sender, message)
    else if (!isOurs) this.heardAnother()
    else if (message) this.take(message)
    else this.fail(new Error('the feeder says what is not understood here: it may be of a newer version'))
  }

  /** Another process feeds, and its welcome was not heard: it is asked for, not too often. */
  private heardAnother(): void {
    const nowMs = this.options.settings.clock.monotonic()
    if (this.feeder === undefined || nowMs - this.greetedAtMs < HELLO_MS) return
    this.greetedAtMs = nowMs
    this.ask('hello')
  }

  /** A feeder of this very server says where it stands. Who follows one already has no need of it, unless it is another one. */
  private welcome(sender: string, [, systemId, timeline, lsn, tables, unsettled]: Welcome): void {
    const { server } = this.facts
    const startLsn = parseLsn(lsn)!
    if (sender === this.feeder || server?.systemId !== systemId || server.timeline !== timeline) return
    if (this.feeder !== undefined) {
      this.fail(new Error('another process feeds from here on'))
      return
    }
    this.feeder = sender
    this.options.coverage.learn(tables)
    this.options.host.begin()
    this.visibility = this.watchVisibility(startLsn)
    for (const [xid, tags] of unsettled) this.announce(xid, tags, startLsn)
    this.registrations.changed()
    this.visibility.start()
  }

  private take(message: Told): void {
    this.visibility!.heard()
    const [kind] = message
    if (kind === 'commit') this.commit(message[1], message[2], parseLsn(message[3])!)
    else if (kind === 'progress') this.visibility!.advance(parseLsn(message[1])!)
    else if (kind === 'tables') this.options.coverage.learn(message[1])
    else if (kind === 'void') this.void(message[1])
    else if (kind === 'ack' && message[1] === this.asks.sender) this.registrations.ack(message[2])
    else if (kind === 'end') this.fail(new Error('the process that feeds has stopped'))
  }

  private commit(xid: number, tags: readonly string[], endLsn: Lsn): void {
    this.facts.commits++
    this.announce(xid, tags, endLsn)
    this.visibility!.advance(endLsn)
  }

  private announce(xid: number, tags: readonly string[], endLsn: Lsn): void {
    const all = new Set([...tags, ...this.registrations.unknownTags(tags)])
    this.visibility!.announced({ xid, tags: this.options.watches.withAny([...all]), commitLsn: endLsn, endLsn })
  }

  private void(tags: readonly string[]): void {
    const { host, watches } = this.options
    for (const tag of tags) watches.forget(tag)
    const all = watches.withAny([...tags])
    host.invalidate(all)
    host.settle(all)
  }

  private watchVisibility(startLsn: Lsn): Visibility {
    const { settings, host, control } = this.options
    const ping = (): void => this.pingIfBehind()
    const { facts } = this
    return new Visibility({
      settings,
      server: facts.server!,
      control,
      host,
      facts,
      startLsn,
      ping,
      failed: this.fail,
      flushesLate: false,
    })
  }

  private pingIfBehind(): void {
    if (this.visibility!.watermark.waitingSinceMs !== undefined) this.ping()
  }

  /** Has the feeder ask how far the log is: again and again while it is behind, and not more often than every few milliseconds. */
  protected ping(): void {
    this.pingsAgain = this.pingTimer !== undefined
    if (this.pingsAgain) return
    this.ask('ping')
    this.pingTimer = this.options.settings.clock.after(PING_AGAIN_MS, () => {
      this.pingTimer = undefined
      if (this.pingsAgain) this.ping()
      else this.pingIfBehind()
    })
  }

  private ask(...message: Asked): void {
    this.asks.write(JSON.stringify(message))
  }
}
