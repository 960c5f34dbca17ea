/** Who watches which keys: WATCH, and what a change of such a key does. */
import type { Keyspace } from '../../engine/keyspace.ts'
import { Span } from '../../engine/span.ts'
import type { ChangeListener } from '../changes.ts'
import type { Client } from '../client.ts'
import type { Service } from '../service.ts'

/** A key that a client watches. */
interface Watch {
  readonly client: Client
  readonly keyspace: Keyspace
  readonly key: string
  /** Whether the key was there when it was watched. One that was not does not break by going. */
  readonly present: boolean
}

/** About what a watched key takes beside its name. */
const BYTES_OF_ONE = 128

export class WatchedKeys implements ChangeListener {
  readonly #service: Service
  readonly #byKey = new Map<Keyspace, Map<string, Set<Watch>>>()
  readonly #byClient = new Map<Client, Watch[]>()

  constructor(service: Service) {
    this.#service = service
    service.changes.add(this)
  }

  get active(): boolean {
    return this.#byClient.size > 0
  }

  /** Lets EXEC of the client fail when this key of its database changes before. */
  watch(client: Client, key: Span): void {
    const { db: keyspace } = client
    const text = key.text()
    const watches = this.#byClient.get(client) ?? []
    if (watches.some((watch) => watch.keyspace === keyspace && watch.key === text)) return
    const watch: Watch = { client, keyspace, key: text, present: keyspace.typeOf(key) !== undefined }
    watches.push(watch)
    client.heldBytes += text.length + BYTES_OF_ONE
    this.#byClient.set(client, watches)
    const keys = this.#byKey.get(keyspace) ?? new Map<string, Set<Watch>>()
    this.#byKey.set(keyspace, keys)
    const all = keys.get(text) ?? new Set()
    keys.set(text, all.add(watch))
    this.#service.changes.reconsider()
  }

  /** Lets go of all keys of a client, and forgets that one of them has changed. */
  unwatch(client: Client): void {
    client.watchBroken = false
    this.#release(client)
  }

  /** Whether nothing that the client watches has changed. */
  holds(client: Client): boolean {
    if (client.watchBroken) return false
    const watches = this.#byClient.get(client) ?? []
    return watches.every(({ keyspace, key, present }) => !present || keyspace.typeOf(Span.of(key)) !== undefined)
  }

  /** How many keys a client watches. */
  countOf(client: Client): number {
    return this.#byClient.get(client)?.length ?? 0
  }

  changed(keyspace: Keyspace, key: string, event: string): void {
    const watches = this.#byKey.get(keyspace)?.get(key)
    if (watches === undefined) return
    for (const { client, present } of [...watches]) {
      if (event === 'expired' && !present) continue
      client.watchBroken = true
      this.#release(client)
    }
  }

  cleared(keyspace: Keyspace): void {
    for (const watches of [...(this.#byKey.get(keyspace)?.values() ?? [])]) {
      for (const { client, key, present } of [...watches]) {
        if (!present && keyspace.typeOf(Span.of(key)) === undefined) continue
        client.watchBroken = true
        this.#release(client)
      }
    }
  }

  #release(client: Client): void {
    for (const watch of this.#byClient.get(client) ?? []) {
      client.heldBytes -= watch.key.length + BYTES_OF_ONE
      const keys = this.#byKey.get(watch.keyspace)!
      const watches = keys.get(watch.key)!
      watches.delete(watch)
      if (watches.size === 0) keys.delete(watch.key)
      if (keys.size === 0) this.#byKey.delete(watch.keyspace)
    }
    if (this.#byClient.delete(client)) this.#service.changes.reconsider()
  }
}
