/** Who gives a command: a connection, a script, the log that is read at the start. What commands know of it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { Reply } from '../engine/reply.ts'
import type { Span } from '../engine/span.ts'
import { isLoopback } from '../security/exposure.ts'
import type { User } from './acl/user.ts'
import { clientInfo } from './client-info.ts'
import type { CommandEntry } from './command-table.ts'
import type { OutputLimits } from './configuration/settings.ts'
import { CLIENT_MODE } from './modes.ts'
import type { Subscriptions } from './pubsub/channels.ts'
import type { Service } from './service.ts'
import type { Session } from './tokens/session.ts'
import type { ClientTracking } from './tracking/tracking.ts'
import type { Transaction } from './transactions/transaction.ts'
import type { Waiting } from './waiters.ts'

/** The state of one client that commands read and change. Who speaks with the peer extends it. */
export class Client {
  readonly id: number
  /** The cache that it is in. */
  service: Service
  /** The selected database. */
  db: Keyspace
  /** Version of RESP that answers are written in: changed by `speak`. */
  protocol: 2 | 3 = 2
  /** Whether it wants answers: CLIENT REPLY. 'skip': not the next one. */
  replies: 'on' | 'off' | 'skip' = 'on'
  /** Bits of CLIENT_MODE. */
  modes = 0
  /** As whom it acts. */
  user: User
  /** Whether it has said who it is, or need not. */
  authenticated = true
  /** The token or access key by which it is who it is; `undefined`: a user of the cache. */
  session: Session | undefined
  /** Why it may do nothing until it says anew who it is: its token has expired, its cache is gone. */
  lost: ReplyError | undefined
  /** What it is told and asked by CLIENT SETNAME. */
  name = ''
  /** Which library it says that it is: CLIENT SETINFO. */
  readonly library: { name: string; version: string } = { name: '', version: '' }
  readonly createdAtMs: number
  /** When it gave its last command, and which. */
  activeAtMs: number
  lastCommand: CommandEntry | undefined
  /** Between MULTI and EXEC: what is queued. */
  transaction: Transaction | undefined
  /** Whether a key that it watches has changed. */
  watchBroken = false
  /** What it waits for. Until that comes it gives no further command. */
  waiting: Waiting | undefined
  /** What it listens to. */
  subscriptions: Subscriptions | undefined
  /** How it is told of changes to what it has read. */
  tracking: ClientTracking | undefined
  /** Places of words in the present command that nobody may see. */
  secrets: ReadonlySet<number> | undefined
  /** Whether it stays when memory for clients is short. */
  noEvict = false
  /** About how many bytes are kept for what it watches, listens to and tracks; and what `clientMemory` has counted of it. */
  heldBytes = 0
  countedBytes = 0
  /** What the log is told in place of the command that runs. */
  logged: Arguments[] | undefined

  constructor(id: number, service: Service) {
    this.id = id
    this.service = service
    this.db = service.databases[0]!
    this.user = service.accessControl.defaultUser
    this.createdAtMs = service.time.nowMs
    this.activeAtMs = this.createdAtMs
  }

  /** Whether a script gives its commands. */
  get isScript(): boolean {
    return false
  }

  /** Whether a command that waits is being run again because one of its keys has changed. */
  get retrying(): boolean {
    return this.waiting?.retrying === true
  }

  /**
   * Waits until one of these keys has changed, then runs the same command again; after `timeoutMs` (Infinity: never) answers
   * `timedOut`. In a transaction or a script, where nobody waits, that is at once. The command returns without an answer.
   *
   * @param instead what is run again in place of the words as they were given: XREAD knows by then what `$` meant
   */
  block(keys: readonly Span[], timeoutMs: number, instead?: readonly (string | Uint8Array)[]): void {
    this.service.waiters.wait(this, keys, timeoutMs, instead)
  }

  /**
   * What the log and replicas are told in place of the command as it was given, because that would not do the same
   * again: several calls are several commands. Called without words: nothing.
   */
  logAs(...words: readonly (string | Uint8Array)[]): void {
    this.service.logs.replace(this, words)
  }

  /** Leaves a transaction: nothing is queued any more, nothing watched. */
  discard(): void {
    this.transaction = undefined
    this.setMode(CLIENT_MODE.QUEUEING, false)
    this.service.watchedKeys.unwatch(this)
  }

  /** Whether its user may read every key by this command: what SORT asks, whose patterns name keys that nobody knows beforehand. */
  mayReadAllKeys(args: Arguments): boolean {
    if ((this.modes & CLIENT_MODE.LIMITED) === 0) return true
    return this.user.mayReadAllKeys(this.service.commands.find(args)!, args)
  }

  setMode(mode: number, on: boolean): void {
    this.modes = on ? this.modes | mode : this.modes & ~mode
  }

  /** Hides words of the present command from those who watch. */
  hide(...places: readonly number[]): void {
    this.secrets = new Set([...(this.secrets ?? []), ...places])
  }

  /** From now on, the present answer included, in this version of RESP. */
  speak(protocol: 2 | 3): void {
    this.protocol = protocol
  }

  /** Where an answer goes that is given later, in place of `reply`. */
  later(reply: Reply): Reply {
    return reply
  }

  /** Sends what was not asked for: a message of a channel, an invalidation. During a command of its own, after the answer. */
  push(_write: (reply: Reply) => void): void {}

  /** Called when the answer of a command that waited has been given. */
  resume(): void {}

  /** Ends it, at once or when the answer is sent. */
  close(_when: 'now' | 'after the answer'): void {}

  /** Goes to another cache, as nobody in particular; what it held in this one is let go of. @throws ReplyError inside MULTI */
  enter(service: Service): void {
    if (service === this.service) return
    if (this.transaction) throw new ReplyError('a transaction cannot go to another cache')
    this.leave()
    this.service = service
    this.db = service.databases[0]!
    service.clients.set(this.id, this)
    service.accessControl.welcome(this)
  }

  /** Whether it may be told of a key by its name, in SCAN or by an event: a token for some keys may not of others. */
  sees(key: string): boolean {
    return this.user.seesAllKeys || this.user.mayRead(key)
  }

  /** Counts an operation against what its token and its cache allow in a second. @throws LimitError that is used up */
  charge(): void {
    const { meter, time } = this.service
    this.session?.meter?.operation(time.nowMs)
    meter.operation(time.nowMs)
  }

  /** Counts bytes that have come and gone, as `charge` does operations: more are let through when they are paid. */
  chargeBytes(bytesIn: number, bytesOut: number): void {
    this.session?.meter?.bytes(bytesIn, bytesOut)
    this.service.meter.bytes(bytesIn, bytesOut)
  }

  /**
   * Takes away all that it may do, until it says anew who it is: each command is answered by this error. What it waits for
   * has ended so; a connection that listens, and asks nothing, ends.
   */
  lose(error: ReplyError): void {
    const { service, waiting } = this
    const listens = (this.modes & (CLIENT_MODE.SUBSCRIBED | CLIENT_MODE.TRACKING)) !== 0 || service.monitors.has(this)
    this.discard()
    service.accessControl.bar(this, error)
    if (listens || (waiting?.keys.length === 0 && waiting.entry.mayBlock)) this.close('now')
    else if (waiting !== undefined && waiting.keys.length > 0) service.waiters.end(this, error)
  }

  /** Lets go of everything that the service holds for it: when it is gone, or goes to another one. */
  leave(): void {
    const { service } = this
    service.waiters.release(this)
    service.channels.leave(this)
    service.monitors.leave(this)
    if (this.tracking) service.tracking.stop(this)
    this.discard()
    this.session?.leave(this)
    this.session = undefined
    service.clients.delete(this.id)
    service.clientMemory.release(this)
  }

  /** What CLIENT INFO tells of the peer and of the own end, such as '127.0.0.1:5000'. */
  get address(): string {
    return ''
  }

  get localAddress(): string {
    return ''
  }

  /** Whether a parameter that says 'no', 'yes' or 'local' lets it do something. */
  isAllowedBy(parameter: string): boolean {
    const setting = this.service.configuration.text(parameter)
    return setting === 'yes' || (setting === 'local' && isLocal(this.address))
  }

  /** A line about it: CLIENT LIST. */
  get info(): string {
    return clientInfo(this)
  }

  /** On whose behalf it acts: of a script's client, who called the script. */
  get caller(): Client {
    return this
  }

  /** Who gave a command, as MONITOR tells it. */
  get monitorName(): string {
    return this.address
  }

  /** Whether its end has begun. */
  get isClosing(): boolean {
    return false
  }

  /** Bytes that came and were not read yet, of which the last word may be a part. */
  get inputBytes(): number {
    return 0
  }

  /** Bytes of the words of a command that has not come whole. */
  get argumentBytes(): number {
    return 0
  }

  /** Memory of its own that it has for what came. */
  get inputMemory(): number {
    return 0
  }

  /** Bytes that are to be sent. */
  get outputBytes(): number {
    return 0
  }

  /** How much may wait for it. */
  get outputLimits(): OutputLimits {
    const { normalLimits, pubsubLimits } = this.service.settings
    return (this.modes & CLIENT_MODE.SUBSCRIBED) === 0 ? normalLimits : pubsubLimits
  }
}

/** Whether somebody is on this machine, by the address as CLIENT LIST tells it; of a Unix socket it is a path and ':0'. */
function isLocal(address: string): boolean {
  return address === '' || address.endsWith(':0') || isLoopback(address.replace(/:\d+$/, ''))
}
