/**
 * The form in which caches of the library keep entries under keys, as far as commands have to know it: a digit (the form's
 * version), a letter (what it is), a mark of 16 characters. A record goes on with the JSON of its header, a list that begins with
 * two lives in milliseconds; `null` is for ever. Here they stand as the moments at which they end, so that one reading with the
 * time is enough to know what is left of them. `millpond/valkey` writes the same, so both read what the other has stored.
 */
import { randomBytes } from 'node:crypto'
import { ReplyError } from '../../engine/errors.ts'

/** The mark of what somebody else has put under a key. */
const FOREIGN = '?'
const MARKED = /^\d[A-Za-z]([\w-]{16})/
const MARK_ENDS = 18
const HEADER = /^(\d[rR][\w-]{16})\[(null|\d[\d.e+-]*),(null|\d[\d.e+-]*),/
/** Bytes in which a header's beginning lies in any case. */
const HEADER_BYTES_MAX = 96
/** Longer lives are for ever. */
const FOR_EVER_MS = 1e14
/** How long a fence holds that stands under a key for ever: longer than any load. */
const FENCE_MS = 86_400_000

/** A new mark, or a new version of a tag. */
export function newMark(): string {
  return randomBytes(12).toString('base64url')
}

/** What a tombstone is stored as. */
export function tombstone(mark: string, held: boolean): string {
  return `1${held ? 'h' : 't'}${mark}`
}

/** The mark of what stands under a key. */
export function markOf(bytes: Uint8Array, start: number, end: number): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, MARK_ENDS)).toString('latin1')
  return MARKED.exec(head)?.[1] ?? FOREIGN
}

/** A record whose lives are told as moments. */
export interface DatedRecord {
  readonly bytes: Buffer
  readonly expiresAtMs: number
}

/** A record as it is stored at `nowMs`, of one that was given with lives. @throws ReplyError when it is none */
export function dated(bytes: Buffer, start: number, end: number, nowMs: number): DatedRecord {
  const head = bytes.toString('latin1', start, Math.min(end, start + HEADER_BYTES_MAX))
  const [whole, kind, fresh, keep] = HEADER.exec(head) ?? []
  if (whole === undefined) throw new ReplyError('the record is not in a form that this server knows')
  const moment = (life: string): string => (life === 'null' ? life : String(Math.floor(nowMs + Number(life))))
  const keepMs = keep === 'null' ? Number.POSITIVE_INFINITY : Number(keep)
  const text = Buffer.concat([
    Buffer.from(`${kind}[${moment(fresh!)},${moment(keep!)},`, 'latin1'),
    bytes.subarray(start + whole.length, end),
  ])
  return { bytes: text, expiresAtMs: endOf(nowMs, keepMs) }
}

/** The moment at which a life ends; Infinity: never. */
export function endOf(nowMs: number, lifeMs: number): number {
  return lifeMs < FOR_EVER_MS ? nowMs + Math.max(1, Math.ceil(lifeMs)) : Number.POSITIVE_INFINITY
}

/** A fence that is filled into does not end sooner: when the key ends that had one until `fencedUntilMs` (-1: there was none). */
export function laterEnd(expiresAtMs: number, fencedUntilMs: number, nowMs: number): number {
  const fence = fencedUntilMs === Number.POSITIVE_INFINITY ? nowMs + FENCE_MS : fencedUntilMs
  return Math.max(expiresAtMs, fence)
}
