import type { Clock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import { randomId } from '../../core/ids.ts'
import type { Mark, Store, StoreAnswer, StoreRead, StoreRecord } from '../../core/store.ts'
import { aged, newMark, readText, recordText, tombstoneText } from '../record-form.ts'
import type { Connection } from './connection.ts'
import { type Item, packed, type ReadItem, readItem } from './item.ts'
import { flagOf, type Reply } from './replies.ts'
import { type KeyKind, storedKey } from './stored-key.ts'

/** What a store on one server needs to know. */
export interface ServerStoreOptions {
  readonly name: string
  readonly connection: Connection
  /** First part of every key. */
  readonly prefix: string
  readonly clock: Clock
}

/**
 * A `Store` on one Memcached server, by its meta commands.
 *
 * Implementation note: the mark of what stands under a key is a random id within its text. A fill on an absent key is an
 * `add`. A fill on a mark reads the key once more, looks for the mark, and replaces exactly what it has read by
 * compare-and-set: Memcached's own number alone would not do as a mark, as it starts over with the server. All the rest is one
 * round trip, however many names are asked for; a tag that has no version yet costs a second one.
 */
export class ServerStore implements Store {
  readonly name: string
  readonly #connection: Connection
  readonly #prefix: string
  readonly #clock: Clock

  constructor({ name, connection, prefix, clock }: ServerStoreOptions) {
    this.name = name
    this.#connection = connection
    this.#prefix = prefix
    this.#clock = clock
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    const asked = [...keys.map((key) => this.#key('e', key)), ...tags.map((tag) => this.#key('t', tag))]
    const found = await this.#get(asked)
    const versions = await this.#complete(tags, found.slice(keys.length))
    return { entries: found.slice(0, keys.length).map(entryOf), versions }
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    const item: Item = { text: recordText(newMark(), record), lifeMs: record.keepMs }
    const { itemBytesMax } = await this.#connection.greeted()
    const bytes = Buffer.byteLength(item.text) + ITEM_OVERHEAD_BYTES
    if (bytes > itemBytesMax) await this.#refuse(key, mark, bytes, itemBytesMax)
    const stored = this.#key('e', key)
    if (mark === '' && (await this.#add(stored, item))) return true
    return await this.#replace(stored, item, (current) => entryOf(current).mark === mark)
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    const marks = keys.map(newMark)
    await this.#set(keys.map((key, at) => [this.#key('e', key), tombstone(marks[at]!, held, fenceMs)]))
    return marks
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    await this.#set(tags.map((tag) => [this.#key('t', tag), newVersion(heldMs)]))
  }

  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    const stored = this.#key('l', key)
    const item: Item = { text: holder, lifeMs: leaseMs }
    if (await this.#add(stored, item)) return true
    return await this.#replace(stored, item, (current) => current.hasEnded || current.text === holder)
  }

  async release(key: string, holder: string): Promise<void> {
    const stored = this.#key('l', key)
    const [current] = await this.#get([stored])
    if (current?.text === holder) await this.#connection.send([`md ${stored} C${current.unique}\r\n`])
  }

  watch(onDoubt: () => void): () => void {
    return this.#connection.watch(onDoubt)
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  /** Versions that are missing are made: whoever adds one first decides, and all read what came of it. */
  async #complete(tags: readonly string[], found: readonly (Found | undefined)[]): Promise<string[]> {
    const versions = found.map(versionOf)
    const missing = [...versions.keys()].filter((at) => versions[at] === undefined)
    if (missing.length === 0) return versions as string[]
    const keys = missing.map((at) => this.#key('t', tags[at]!))
    const made = keys.map((key, to) => this.#setCommand(key, newVersion(undefined), onlyOver(found[missing[to]!])))
    const replies = await this.#connection.send([...made, ...keys.map(getCommand)])
    const read = this.#found(replies.slice(made.length))
    // One that is gone again was evicted, or the server is full: a version that nobody else is told makes nothing valid.
    for (const [to, at] of missing.entries()) versions[at] = versionOf(read[to]) ?? randomId()
    return versions as string[]
  }

  /** Whether the item was stored, nothing being there. */
  async #add(stored: string, item: Item): Promise<boolean> {
    const [reply] = await this.#connection.send([this.#setCommand(stored, item, 'ME')])
    return isDone(reply!, 'NS')
  }

  /** Puts an item in the place of what stands there, if that `fits` and is still there then. Its fence stays. */
  async #replace(stored: string, item: Item, fits: (current: Found) => boolean): Promise<boolean> {
    const [current] = await this.#get([stored])
    if (current === undefined || !fits(current)) return false
    const fenced = { ...item, fenceMs: Math.max(item.fenceMs ?? 0, current.fenceLeftMs) }
    const [reply] = await this.#connection.send([this.#setCommand(stored, fenced, `C${current.unique}`)])
    return isDone(reply!, 'EX', 'NF')
  }

  async #set(items: readonly (readonly [stored: string, item: Item])[]): Promise<void> {
    const replies = await this.#connection.send(items.map(([stored, item]) => this.#setCommand(stored, item)))
    for (const reply of replies) isDone(reply)
  }

  /**
   * A record that is too large is not sent: Memcached would drop what stands there, even a tombstone. The record that
   * it was to replace is older, so a tombstone takes its place.
   */
  async #refuse(key: string, mark: Mark, bytes: number, bytesMax: number): Promise<never> {
    await this.#replace(this.#key('e', key), tombstone(newMark(), false, HOUR_MS), (current) => {
      const read = entryOf(current)
      return read.record !== undefined && read.mark === mark
    })
    const reason = `its ${bytes} bytes are more than the ${bytesMax} that the server takes (-I)`
    throw new StoreError(`${this.name} does not store ${JSON.stringify(key.slice(0, 80))}: ${reason}`, {
      refused: true,
    })
  }

  async #get(stored: readonly string[]): Promise<(Found | undefined)[]> {
    return this.#found(await this.#connection.send(stored.map(getCommand)))
  }

  #found(replies: readonly Reply[]): (Found | undefined)[] {
    const nowMs = this.#clock.wall()
    return replies.map((reply) => {
      if (reply.value === undefined && !isDone(reply, 'EN')) return undefined
      const item = readItem(String(reply.value), Number(flagOf(reply, 't')), nowMs)
      return { ...(item ?? FOREIGN), unique: flagOf(reply, 'c')! }
    })
  }

  #setCommand(stored: string, item: Item, condition?: string): string {
    const { text, exptime } = packed(item, this.#clock.wall())
    const flags = condition === undefined ? `T${exptime}` : `T${exptime} ${condition}`
    return `ms ${stored} ${Buffer.byteLength(text)} ${flags}\r\n${text}\r\n`
  }

  #key(kind: KeyKind, name: string): string {
    return storedKey(this.#prefix, kind, name)
  }
}

/** An item, and the number that changes with each change of it. */
interface Found extends ReadItem {
  readonly unique: string
}

/** What somebody else has put there. As an entry it can be neither read nor filled over, until it is invalidated. */
const FOREIGN: ReadItem = { text: '', agedMs: 0, fenceLeftMs: 0, hasEnded: false }

function entryOf(found: Found | undefined): StoreRead {
  if (found === undefined || found.hasEnded) return { mark: '' }
  const { mark, held, record } = readText(found.text) ?? { mark: newMark() }
  if (record === undefined) return { mark, held: held === true }
  const left = aged(record, found.agedMs)
  return left.keepMs > 0 ? { mark, record: left } : { mark }
}

function versionOf(found: Found | undefined): string | undefined {
  return found === undefined || found.hasEnded || found.text === '' ? undefined : found.text
}

function newVersion(heldMs: number | undefined): Item {
  if (heldMs === undefined) return { text: randomId(), lifeMs: Number.POSITIVE_INFINITY }
  return { text: `!${randomId()}`, lifeMs: heldMs }
}

function tombstone(mark: Mark, held: boolean, fenceMs: number): Item {
  return { text: tombstoneText(mark, held), lifeMs: 0, fenceMs }
}

/** The condition under which a new version is stored: that what was found is there still. */
function onlyOver(found: Found | undefined): string {
  return found === undefined ? 'ME' : `C${found.unique}`
}

function getCommand(stored: string): string {
  return `mg ${stored} v t c\r\n`
}

/** Whether a command was carried out; `false` for one of the answers that `otherwise` are expected. */
function isDone({ status, line }: Reply, ...otherwise: readonly string[]): boolean {
  if (status === 'HD') return true
  if (otherwise.includes(status)) return false
  throw new StoreError(`Memcached answered ${line.slice(0, 200)}`)
}

/** What counts besides a record: its key, its first line here, and what Memcached itself keeps of an item. */
const ITEM_OVERHEAD_BYTES = 450
/** Longer than any load may last: a tombstone that nobody knows the fence of. */
const HOUR_MS = 3_600_000
