/** Tells who is concerned what changed in the keyspaces: transactions that watch, commands that wait, the log. */
import type { EventClass, Keyspace, KeyspaceObserver } from '../engine/keyspace.ts'
import type { Span } from '../engine/span.ts'
import type { Service } from './service.ts'

/** One that wants to know of changes. It is asked only while its `active` is true. */
export interface ChangeListener {
  readonly active: boolean
  /** `key` is a byte string. */
  changed(keyspace: Keyspace, key: string, event: string, eventClass: EventClass): void
  /** Something of a key has changed that is no event, such as who of a group has read what. */
  noted?(keyspace: Keyspace, key: string): void
  /** All keys of a keyspace are gone, or others have come in their place. */
  cleared(keyspace: Keyspace): void
}

/**
 * The one observer of all keyspaces. While nobody listens a change costs a counter and a boolean test; listeners say so by
 * `reconsider` when they become active or inactive.
 */
export class Changes implements KeyspaceObserver {
  /** Changes since the start. The executor knows by it whether a command has changed anything. */
  count = 0
  /** Keys that expired, and that were evicted, since the start. */
  expired = 0
  evicted = 0
  #listening = false
  readonly #service: Service
  readonly #listeners: ChangeListener[] = []

  constructor(service: Service) {
    this.#service = service
  }

  add(listener: ChangeListener): void {
    this.#listeners.push(listener)
    this.reconsider()
  }

  remove(listener: ChangeListener): void {
    this.#listeners.splice(this.#listeners.indexOf(listener), 1)
    this.reconsider()
  }

  /** Looks anew whether anybody listens. */
  reconsider(): void {
    this.#listening = this.#listeners.some(({ active }) => active)
    this.#service.sharing?.reconsider()
  }

  /** Whether anybody listens. */
  get listening(): boolean {
    return this.#listening
  }

  /** Only keyspace events tell of new keys. */
  get wantsCreated(): boolean {
    return this.#listening && this.#service.notifications.wants('n')
  }

  created(keyspace: Keyspace, key: Span): void {
    this.#service.notifications.changed(keyspace, key.text(), 'new', 'n')
  }

  changed(keyspace: Keyspace, key: Span, event: string, eventClass: EventClass): void {
    this.count++
    if (this.#listening) this.#tell(keyspace, key.text(), event, eventClass)
  }

  noted(keyspace: Keyspace, key: Span): void {
    this.count++
    if (!this.#listening) return
    for (const listener of this.#listeners) if (listener.active) listener.noted?.(keyspace, key.text())
  }

  left(keyspace: Keyspace, key: Span, reason: 'expire' | 'evict'): void {
    if (reason === 'expire') this.expired++
    else this.evicted++
    this.#service.logs.left(keyspace, key)
    if (!this.#listening) return
    if (reason === 'expire') this.#tell(keyspace, key.text(), 'expired', 'x')
    else this.#tell(keyspace, key.text(), 'evicted', 'e')
  }

  expires(keyspace: Keyspace, key: Span, expiresAtMs: number): void {
    this.#service.logs.expires(keyspace, key, expiresAtMs)
  }

  fieldsExpired(keyspace: Keyspace, key: Span, fields: readonly string[]): void {
    this.#service.logs.also(keyspace, ['HDEL', key.copy(), ...fields])
  }

  cleared(keyspace: Keyspace): void {
    this.count++
    this.#service.sharing?.cleared()
    if (!this.#listening) return
    for (const listener of this.#listeners) if (listener.active) listener.cleared(keyspace)
  }

  #tell(keyspace: Keyspace, key: string, event: string, eventClass: EventClass): void {
    for (const listener of this.#listeners) {
      if (listener.active) listener.changed(keyspace, key, event, eventClass)
    }
  }
}
