/** Items as memcached has them, over the strings of a keyspace: flags, cas, append and prepend, numbers that wrap, stale values. */
import type { ArenaView } from 'millpond/memory'
import type { Client } from '../../commands/client.ts'
import { expireKey, persistKey, removeKey } from '../../commands/key-changes.ts'
import { readInteger, writeInteger } from '../../engine/digits.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { flagsNote } from '../../engine/log/log-note.ts'
import { MARK, Marks } from '../../engine/marks.ts'
import type { Span } from '../../engine/span.ts'
import { readUint64 } from './numbers.ts'

/** How a value is stored. With 'cas' only in place of the item with that number. */
export type StoreMode = 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas'
export type Stored = 'STORED' | 'NOT_STORED' | 'EXISTS' | 'NOT_FOUND'

/** What is to be stored. */
export interface StoreRequest {
  mode: StoreMode
  clientFlags: number
  expiresAtMs: number
  bytes: Buffer
  start: number
  end: number
  /** The number that the item must have; 0: any. */
  cas: number
  /** Whether the client is told the new number. */
  wantsCas: boolean
  /** With an older number than the item's it is stored all the same, and marked as stale. */
  invalidates: boolean
  /** Marks that the item gets, of MARK. */
  bits: number
}

/** What an addition came to; a word where nothing was added. */
export type Sum = 'NOT_FOUND' | 'NON_NUMERIC' | 'EXISTS' | 'OK'

/** What memcached takes for an item beside key, flags and value: a limit on items counts it. */
export const ITEM_OVERHEAD = 59

const UINT64 = 2n ** 64n
/** No number is written with more characters. */
const NUMBER_BYTES_MAX = 128
const DIGITS: Buffer = Buffer.alloc(20)
const NOTHING = Buffer.alloc(0)

/**
 * One for all connections of a process: it keeps what the last call has found.
 *
 * A cas is given when it is first asked for, which saves those who never ask its eight bytes; an item without one is newer
 * than all that were given before. Whatever else writes a string drops its marks, so that a cas from before never fits.
 */
export class Items {
  /** Of the item that was found or stored last. */
  readonly marks: Marks = new Marks()
  /** Whether the key that was looked for last holds what is no string. */
  holdsOther = false
  /** The number of what was stored last; 0: nobody asked. */
  cas = 0
  /** The digits of the last sum. */
  sum = ''
  /** The word of the item that was found: form and bits of marks. */
  #word = 0

  /** Whether the item that was found had been shown to a client. */
  get isFetched(): boolean {
    return (this.#word & MARK.FETCHED) !== 0
  }

  /** The string that a key holds, and its marks in `marks`; `undefined`: none. Neither hit nor miss. */
  look(db: Keyspace, key: Span, uses: boolean): ArenaView | undefined {
    const view = db.item(key, uses)
    this.holdsOther = view !== undefined && view.number !== 0
    if (view === undefined || view.number !== 0) return undefined
    this.#word = view.flags
    this.marks.read(view)
    return view
  }

  /** As `look`, for a client that is shown it: with a cas, if that is wanted. */
  fetch(db: Keyspace, key: Span, wantsCas: boolean, uses = true): ArenaView | undefined {
    let view = this.look(db, key, uses)
    if (view !== undefined && wantsCas && this.marks.cas === 0) view = this.#giveCas(db, key, view)
    if (view === undefined) db.misses++
    else db.hits++
    return view
  }

  /** The item that was found was shown to a client. */
  fetched(db: Keyspace, key: Span): void {
    if ((this.#word & MARK.FETCHED) === 0) this.setBits(db, key, MARK.FETCHED, 0)
  }

  /** Sets and clears bits of the item that was found. */
  setBits(db: Keyspace, key: Span, on: number, off: number): void {
    this.#word = (this.#word | on) & ~off
    this.marks.bits = this.#word & ~3
    db.patchItem(key, 0, NOTHING, this.#word)
  }

  /** @throws ReplyError OOM */
  store(client: Client, key: Span, request: StoreRequest): Stored {
    const { mode } = request
    if (mode === 'set') {
      this.#put(client, key, request, request.expiresAtMs, request.bits)
      return 'STORED'
    }
    const { db } = client
    const old = this.look(db, key, mode === 'add')
    if (old === undefined && !this.holdsOther) return this.#storeNew(client, key, request)
    if (mode === 'add') return 'NOT_STORED'
    if (mode === 'cas') return this.#storeIfSame(client, key, request, old)
    if (mode === 'replace') this.#put(client, key, request, request.expiresAtMs, request.bits)
    else return this.#join(client, key, request, this.#mustBeString(old))
    return 'STORED'
  }

  /** Adds to a number, or takes from it: up to 2^64, then it begins anew; down to 0. @throws ReplyError OOM, WRONGTYPE */
  add(client: Client, key: Span, delta: bigint, up: boolean, cas: number, wantsCas: boolean): Sum {
    const { db } = client
    const found = this.look(db, key, false)
    if (found === undefined && !this.holdsOther) return 'NOT_FOUND'
    const view = this.#mustBeString(found)
    if (view.length === 0) return 'NON_NUMERIC'
    if (cas !== 0 && cas !== this.marks.cas) return 'EXISTS'
    const near = readInteger(view.bytes, view.start, view.end)
    const change = Number(delta)
    if (near >= 0 && Number.isSafeInteger(near + change)) {
      this.#putSum(client, key, view, up ? near + change : Math.max(0, near - change), wantsCas)
      return 'OK'
    }
    const old = numberIn(view)
    if (old === undefined) return 'NON_NUMERIC'
    const sum = up ? (old + delta) % UINT64 : old > delta ? old - delta : 0n
    this.#putSum(client, key, view, sum, wantsCas)
    return 'OK'
  }

  /** Lets an item expire at another moment; one that is over: at once. Returns whether there is one. */
  touch(client: Client, key: Span, expiresAtMs: number): boolean {
    const { db, service } = client
    if (expiresAtMs <= service.time.nowMs) return removeKey(client, key)
    const before = db.expiresAtMs(key)
    if (before < 0) return false
    if (before === expiresAtMs) return true
    if (expiresAtMs === Number.POSITIVE_INFINITY) persistKey(client, key)
    else expireKey(client, key, expiresAtMs)
    return true
  }

  /** Marks the item that was found as stale, with another cas, and lets somebody be told to renew it. */
  makeStale(db: Keyspace, key: Span, view: ArenaView): void {
    const { marks } = this
    const { length } = view
    this.#word = (this.#word | MARK.STALE) & ~MARK.WON
    if (marks.cas === 0) {
      db.patchItem(key, 0, NOTHING, this.#word)
      return
    }
    marks.cas = db.cache.casNumbers.take()
    db.patchItem(key, length, marks.tail()!, this.#word)
  }

  /** Makes an item where there was none: empty, or with these bytes. @throws ReplyError OOM, WRONGTYPE */
  vivify(client: Client, key: Span, expiresAtMs: number, wantsCas: boolean, bytes: Buffer = NOTHING): void {
    if (this.holdsOther) this.#mustBeString(undefined)
    const request = { bytes, start: 0, end: bytes.length, clientFlags: 0, wantsCas, mode: 'add' } as const
    this.#put(client, key, request, expiresAtMs, 0)
  }

  /** Whether a key with a value of so many bytes is more than a cache takes. */
  isTooLarge(db: Keyspace, keyLength: number, length: number): boolean {
    return keyLength + length > db.cache.itemBytesMax
  }

  #storeNew(client: Client, key: Span, request: StoreRequest): Stored {
    if (request.mode === 'cas') return 'NOT_FOUND'
    if (request.mode !== 'add') return 'NOT_STORED'
    this.#put(client, key, request, request.expiresAtMs, request.bits)
    return 'STORED'
  }

  #storeIfSame(client: Client, key: Span, request: StoreRequest, old: ArenaView | undefined): Stored {
    if (old === undefined || request.cas === 0) return 'EXISTS'
    if (request.cas === this.marks.cas) {
      this.#put(client, key, request, request.expiresAtMs, request.bits)
      return 'STORED'
    }
    if (!request.invalidates || !this.#isOlder(client.db, request.cas)) return 'EXISTS'
    this.#put(client, key, request, old.expiresAtMs, MARK.STALE | request.bits | (this.marks.bits & MARK.WON))
    return 'STORED'
  }

  /** Whether a number is of an earlier state of the item that was found. */
  #isOlder({ cache }: Keyspace, cas: number): boolean {
    return this.marks.cas === 0 ? cache.casNumbers.isOld(cas) : cas < this.marks.cas
  }

  #join(client: Client, key: Span, request: StoreRequest, old: ArenaView): Stored {
    const { cas, mode, bytes, start, end } = request
    if (cas !== 0 && cas !== this.marks.cas) return 'EXISTS'
    const { length, expiresAtMs } = old
    const joined = Buffer.allocUnsafe(length + end - start)
    if (this.isTooLarge(client.db, key.length, joined.length)) return 'NOT_STORED'
    const [oldAt, newAt] = mode === 'append' ? [0, length] : [end - start, 0]
    joined.set(old.bytes.subarray(old.start, old.end), oldAt)
    bytes.copy(joined, newAt, start, end)
    const { clientFlags } = this.marks
    const whole = { ...request, bytes: joined, start: 0, end: joined.length, clientFlags }
    this.#put(client, key, whole, expiresAtMs, 0)
    return 'STORED'
  }

  #putSum(client: Client, key: Span, view: ArenaView, sum: number | bigint, wantsCas: boolean): void {
    const { expiresAtMs } = view
    this.sum = String(sum)
    if (typeof sum === 'number' && this.#word === 0 && !wantsCas && client.service.logs.log === undefined) {
      const start = writeInteger(sum, DIGITS)
      client.db.overwrite(key, view, DIGITS, start, DIGITS.length)
      client.db.changed(key, 'incrby', '$')
      return
    }
    const { clientFlags } = this.marks
    // As in memcached, where a longer number is a new item.
    const bits = this.sum.length > view.length ? 0 : this.marks.bits
    const bytes = Buffer.from(this.sum, 'latin1')
    const request = { bytes, start: 0, end: bytes.length, clientFlags, wantsCas: wantsCas || this.marks.cas !== 0 }
    this.#put(client, key, { ...request, mode: 'sum' }, expiresAtMs, bits)
  }

  /** Puts an item in place of whatever the key held, tells of it, and says to the log what it must know. */
  #put(
    client: Client,
    key: Span,
    request: Pick<StoreRequest, 'bytes' | 'start' | 'end' | 'clientFlags' | 'wantsCas'> & { mode: StoreMode | 'sum' },
    expiresAtMs: number,
    bits: number,
  ): void {
    const { db, service } = client
    const { bytes, start, end, clientFlags, wantsCas, mode } = request
    const { marks } = this
    marks.start(clientFlags)
    marks.bits = bits
    marks.cas = this.cas = wantsCas ? db.cache.casNumbers.take() : 0
    if (expiresAtMs <= service.time.nowMs) {
      removeKey(client, key)
      return
    }
    const tail = marks.tail()
    db.setString(key, bytes, start, end, expiresAtMs, marks.bits, tail)
    db.changed(key, EVENTS[mode], '$')
    const isNewLife = mode === 'set' || mode === 'add' || mode === 'replace' || mode === 'cas'
    if (isNewLife && expiresAtMs !== Number.POSITIVE_INFINITY) db.changed(key, 'expire', 'g')
    if (service.logs.log === undefined) return
    const words: (string | Uint8Array)[] = ['SET', key.copy(), bytes.subarray(start, end)]
    if (expiresAtMs !== Number.POSITIVE_INFINITY) words.push('PXAT', String(expiresAtMs))
    service.logs.replace(client, words, clientFlags === 0 ? undefined : flagsNote(clientFlags))
  }

  /** Gives the item that was found a number. Where there is no room for it, it is a number that will never fit. */
  #giveCas(db: Keyspace, key: Span, view: ArenaView): ArenaView | undefined {
    const { marks } = this
    const { length, expiresAtMs } = view
    const hadRoom = (this.#word & MARK.CAS) !== 0
    const cas = db.cache.casNumbers.take()
    marks.cas = cas
    const tail = marks.tail()!
    const word = (this.#word & 3) | marks.bits
    try {
      if (hadRoom) db.patchItem(key, length, tail, word)
      else db.setString(key, view.bytes, view.start, view.end, expiresAtMs, word, tail)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
    }
    const again = this.look(db, key, false)
    marks.cas = cas
    return again
  }

  #mustBeString(view: ArenaView | undefined): ArenaView {
    if (view === undefined) throw new ReplyError('the key holds another kind of value than a string', 'WRONGTYPE')
    return view
  }
}

/** What observers are told: the events of the Redis commands with the same effect. */
const EVENTS = {
  set: 'set',
  add: 'set',
  replace: 'set',
  cas: 'set',
  append: 'append',
  prepend: 'setrange',
  sum: 'incrby',
} as const

/** The number that a string says, as C reads it. */
function numberIn({ bytes, start, end, length }: ArenaView): bigint | undefined {
  if (length > NUMBER_BYTES_MAX) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  return readUint64(buffer, 0, length)
}
