/**
 * The text that stands under a key in a store: a tombstone or a record, each with its mark. Stores that keep texts
 * share it, so that all of them write one form and refuse a later one alike.
 *
 * `1t<mark>` is a tombstone and `1h<mark>` a held one. `1r<mark><header><newline><value>` is a record; its header is the
 * JSON of `[freshMs, keepMs, tags, etag]`, in which `null` is Infinity. `1R` instead of `1r`: the value is broken
 * Unicode, which UTF-8 cannot carry, and stands there as JSON. The leading 1 is the version of this form.
 */
import { randomId } from '../core/ids.ts'
import type { Mark, StoreRead, StoreRecord } from '../core/store.ts'

/** A new mark: as long as any other, so that a text begins with it at a known place. */
export function newMark(): Mark {
  return randomId()
}

/** The text of a tombstone. */
export function tombstoneText(mark: Mark, held: boolean): string {
  return `1${held ? 'h' : 't'}${mark}`
}

/** The text of a record. */
export function recordText(mark: Mark, { value, freshMs, keepMs, tags, etag }: StoreRecord): string {
  const isWhole = !LONE_SURROGATE.test(value)
  const header = JSON.stringify([lifeText(freshMs), lifeText(keepMs), tags, etag])
  return `1${isWhole ? 'r' : 'R'}${mark}${header}\n${isWhole ? value : JSON.stringify(value)}`
}

/**
 * What a text says, with the lives that the record had when it was stored. `undefined`: it is in no form that this
 * version reads.
 */
export function readText(text: string): StoreRead | undefined {
  const kind = text.slice(0, 2)
  const mark = text.slice(2, MARK_ENDS)
  if (mark.length !== MARK_LENGTH) return undefined
  if (kind === '1t' || kind === '1h') return { mark, held: kind === '1h' }
  if (kind !== '1r' && kind !== '1R') return undefined
  return recordOf(text, kind === '1R', mark)
}

/** A record `agedMs` after it was stored. */
export function aged(record: StoreRecord, agedMs: number): StoreRecord {
  return { ...record, freshMs: Math.max(0, record.freshMs - agedMs), keepMs: record.keepMs - agedMs }
}

function recordOf(text: string, isJson: boolean, mark: Mark): StoreRead | undefined {
  const headerEnds = text.indexOf('\n', MARK_ENDS)
  try {
    const [freshMs, keepMs, tags, etag] = JSON.parse(text.slice(MARK_ENDS, headerEnds)) as Header
    const rest = text.slice(headerEnds + 1)
    const value = isJson ? (JSON.parse(rest) as string) : rest
    if (!isLife(freshMs) || !isLife(keepMs) || !areTags(tags) || typeof value !== 'string') return undefined
    const record = {
      value,
      freshMs: freshMs ?? Number.POSITIVE_INFINITY,
      keepMs: keepMs ?? Number.POSITIVE_INFINITY,
      tags,
    }
    return { mark, record: typeof etag === 'string' ? { ...record, etag } : record }
  } catch {
    return undefined
  }
}

function isLife(ms: unknown): boolean {
  return ms === null || typeof ms === 'number'
}

function areTags(tags: unknown): boolean {
  return Array.isArray(tags) && tags.every((tag) => Array.isArray(tag) && typeof tag[0] === 'string')
}

/** JSON has no Infinity. */
function lifeText(ms: number): number | null {
  return ms === Number.POSITIVE_INFINITY ? null : ms
}

type Header = [freshMs: number | null, keepMs: number | null, tags: StoreRecord['tags'], etag: string | null]

const MARK_LENGTH = 16
const MARK_ENDS = 2 + MARK_LENGTH
const LONE_SURROGATE = /\p{Surrogate}/u
