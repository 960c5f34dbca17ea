/** Client-side caching: clients are told when a key changes that they have read, or whose beginning they asked for. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import type { ChangeListener } from '../changes.ts'
import type { Client } from '../client.ts'
import type { CommandEntry } from '../command-table.ts'
import { keyPlaces } from '../key-places.ts'
import { CLIENT_MODE } from '../modes.ts'
import type { Service } from '../service.ts'

/** How a client wants to be told. */
export interface TrackingOptions {
  /** Who is told in its place; 0: itself. */
  readonly redirect: number
  readonly broadcast: boolean
  readonly optIn: boolean
  readonly optOut: boolean
  /** Not of its own changes. */
  readonly noLoop: boolean
  /** Beginnings of keys, of a broadcast. */
  readonly prefixes: readonly string[]
}

export interface ClientTracking extends TrackingOptions {
  /** CLIENT CACHING YES or NO was said for the next command. */
  cachingGiven: boolean
  /** The script that it runs has called a command that reads. */
  scriptHasRead: boolean
  /** Whom it redirects to is gone. */
  redirectBroken: boolean
}

/** About what a prefix takes beside its name. */
const BYTES_OF_ONE = 128
/** Where a RESP2 client hears of changes. */
const CHANNEL = '__redis__:invalidate'

/** A prefix that clients want to hear of, and the keys that changed since they were told: by whom last. */
interface Prefix {
  readonly clients: Set<Client>
  readonly keys: Map<string, Client | undefined>
}

export class Tracking implements ChangeListener {
  /** Which clients have read a key, by id: a client may be gone by the time that the key changes. */
  readonly #readers = new Map<string, Set<number>>()
  readonly #prefixes = new Map<string, Prefix>()
  readonly #clients = new Set<Client>()
  readonly #service: Service
  /** Whether prefixes have keys to tell. */
  #due = false

  constructor(service: Service) {
    this.#service = service
    service.changes.add(this)
    service.configuration.follow('tracking-table-max-keys', () => this.#limit())
  }

  get active(): boolean {
    return this.#clients.size > 0 || this.#readers.size > 0
  }

  get clientCount(): number {
    return this.#clients.size
  }

  get keyCount(): number {
    return this.#readers.size
  }

  /** Reads that are remembered: one for each key and client. */
  get itemCount(): number {
    let count = 0
    for (const ids of this.#readers.values()) count += ids.size
    return count
  }

  get prefixCount(): number {
    return this.#prefixes.size
  }

  start(client: Client, options: TrackingOptions): void {
    const before = client.tracking?.broadcast ? client.tracking.prefixes : []
    const prefixes = options.broadcast ? [...new Set([...before, ...options.prefixes])] : []
    client.tracking = { ...options, prefixes, cachingGiven: false, redirectBroken: false, scriptHasRead: false }
    client.heldBytes += bytesOf(prefixes) - bytesOf(before)
    client.setMode(CLIENT_MODE.TRACKING, true)
    this.#clients.add(client)
    for (const prefix of prefixes) {
      const present = this.#prefixes.get(prefix) ?? { clients: new Set(), keys: new Map() }
      this.#prefixes.set(prefix, present)
      present.clients.add(client)
    }
    this.#service.changes.reconsider()
  }

  stop(client: Client): void {
    for (const prefix of client.tracking?.prefixes ?? []) {
      const { clients } = this.#prefixes.get(prefix)!
      clients.delete(client)
      if (clients.size === 0) this.#prefixes.delete(prefix)
    }
    client.heldBytes -= bytesOf(client.tracking?.prefixes ?? [])
    client.tracking = undefined
    client.setMode(CLIENT_MODE.TRACKING, false)
    this.#clients.delete(client)
    this.#service.changes.reconsider()
  }

  /** A client has read: the keys are its own to be told of. `client.tracking` is there. */
  remember(client: Client, entry: CommandEntry, args: Arguments): void {
    const { broadcast, optIn, optOut, cachingGiven } = client.tracking!
    if (broadcast || (optIn && !cachingGiven) || (optOut && cachingGiven)) return
    if (entry.has('pubsub')) return
    for (const { place } of keyPlaces(entry.command, args)) {
      const key = args.text(place)
      const ids = this.#readers.get(key)
      if (ids) ids.add(client.id)
      else this.#readers.set(key, new Set([client.id]))
    }
    this.#limit()
  }

  changed(_keyspace: Keyspace, key: string, event: string): void {
    // A key that left by itself was changed by nobody, whoever came across it.
    const bySelf = event === 'expired' || event === 'evicted'
    const current = bySelf ? undefined : this.#service.current?.caller
    for (const [prefix, { keys }] of this.#prefixes) {
      if (!key.startsWith(prefix)) continue
      keys.set(key, current)
      this.#due = true
    }
    const ids = this.#readers.get(key)
    if (ids === undefined) return
    this.#readers.delete(key)
    for (const id of ids) {
      const client = this.#service.clients.get(id)
      if (!client?.tracking || client.tracking.broadcast) continue
      if (client.tracking.noLoop && client === current) continue
      this.#send(client, [key])
    }
    if (this.#readers.size === 0) this.#service.changes.reconsider()
  }

  /** All keys are gone: every copy of any of them. */
  cleared(): void {
    this.#readers.clear()
    for (const prefix of this.#prefixes.values()) prefix.keys.clear()
    for (const client of this.#clients) this.#send(client, undefined)
  }

  /** Tells those who asked for prefixes. Called when a batch of commands is over. */
  broadcast(): void {
    if (!this.#due) return
    this.#due = false
    for (const { clients, keys } of this.#prefixes.values()) {
      if (keys.size === 0) continue
      for (const client of clients) {
        const { noLoop } = client.tracking!
        const told = [...keys].filter(([key, by]) => (!noLoop || by !== client) && client.sees(key)).map(([key]) => key)
        if (told.length > 0) this.#send(client, told)
      }
      keys.clear()
    }
  }

  #send(client: Client, keys: readonly string[] | undefined): void {
    const { redirect } = client.tracking!
    const target = redirect === 0 ? client : this.#service.clients.get(redirect)
    if (target === undefined) {
      client.tracking!.redirectBroken = true
      if (client.protocol === 3) client.push((reply) => tellBroken(reply, redirect))
    } else if (target.protocol === 3) target.push((reply) => tell(reply, 'invalidate', undefined, keys))
    else if (redirect !== 0 && target.subscriptions?.channel.has(CHANNEL)) {
      target.push((reply) => tell(reply, 'message', CHANNEL, keys))
    }
  }

  /** Lets go of keys above `tracking-table-max-keys`: who has read them is told that they may have changed. */
  #limit(): void {
    const max = this.#service.settings.trackedKeysMax
    if (max === 0) return
    for (const key of this.#readers.keys()) {
      if (this.#readers.size <= max) return
      const ids = this.#readers.get(key)!
      this.#readers.delete(key)
      for (const id of ids) {
        const client = this.#service.clients.get(id)
        if (client?.tracking && !client.tracking.broadcast) this.#send(client, [key])
      }
    }
  }
}

/** About what hearing of prefixes takes. */
function bytesOf(prefixes: readonly string[]): number {
  return prefixes.reduce((sum, prefix) => sum + prefix.length + BYTES_OF_ONE, 0)
}

function tellBroken(reply: Reply, redirect: number): void {
  reply.push(2)
  reply.bulk('tracking-redir-broken')
  reply.integer(redirect)
}

function tell(reply: Reply, word: string, channel: string | undefined, keys: readonly string[] | undefined): void {
  reply.push(channel === undefined ? 2 : 3)
  reply.bulk(word)
  if (channel !== undefined) reply.bulk(channel)
  if (keys === undefined) reply.nilArray()
  else {
    reply.array(keys.length)
    for (const key of keys) reply.bulk(key)
  }
}
