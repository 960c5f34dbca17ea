/**
 * What is stored under an entry's key: the form of `record-form.ts`, in which the two lives stand as the moments at
 * which they end, by the server's time. So what is left of them is known when the text is read, and one MGET is enough.
 *
 * A text in no form that this version reads is no record, but has a mark, so that a fill can replace it. In a later
 * form of ours, during a rolling deploy, that is the mark it was given: it stands at the same place. Else it is `?`.
 */
import type { Mark, StoreRead, StoreRecord } from '../core/store.ts'
import { aged, newMark, readText, recordText } from './record-form.ts'

/** The mark of what others have stored. */
export const FOREIGN: Mark = '?'
/** A form's number, a letter for what it is, a mark. `scripts.ts` finds the mark in the same way. */
const MARKED = /^\d[A-Za-z]([\w-]{16})/

/** Longer lives are kept for ever: the server counts milliseconds since 1970 in 63 bits. */
const FOR_EVER_MS = 1e14

/** A record as it is stored, with a new mark. At `nowMs` by the server's time, or earlier, it is stored. */
export function storedText(record: StoreRecord, nowMs: number): string {
  const endsMs = (lifeMs: number): number => Math.floor(nowMs + lifeMs)
  return recordText(newMark(), { ...record, freshMs: endsMs(record.freshMs), keepMs: endsMs(record.keepMs) })
}

/** What a stored text says at `nowMs`, a moment by the server's time that is not earlier than it was read. */
export function readStored(text: unknown, nowMs: number): StoreRead {
  if (typeof text !== 'string') return ABSENT
  const read = readText(text)
  if (read === undefined) return { mark: MARKED.exec(text)?.[1] ?? FOREIGN }
  if (read.record === undefined) return read
  const record = aged(read.record, nowMs)
  return record.keepMs > 0 ? { mark: read.mark, record } : { mark: read.mark }
}

/** How long the server has to keep what lives for `lifeMs`: arguments of SET, none for ever. */
export function expiry(lifeMs: number): string[] {
  return lifeMs < FOR_EVER_MS ? ['px', `${Math.max(1, Math.ceil(lifeMs))}`] : []
}

const ABSENT: StoreRead = { mark: '' }
