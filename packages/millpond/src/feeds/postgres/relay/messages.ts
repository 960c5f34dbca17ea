/** What a feeder tells its followers, and what they ask of it, as JSON. */
import { parseLsn } from '../lsn.ts'
import { isValueKind } from '../value-kinds.ts'
import type { WatchedRows } from '../watched-rows.ts'

/** A table that is covered, with the columns of its key. */
export interface RelayedTable {
  readonly schema: string
  readonly table: string
  readonly key: readonly string[]
}

/** A commit that is announced, and not known to be visible. */
export type RelayedCommit = readonly [xid: number, tags: readonly string[]]

/** One of the rows that a follower depends on, or a range of them that a reader has named. */
export interface RelayedWatch {
  readonly rows: WatchedRows
  readonly values?: readonly string[]
  /** Bounds as text; `null`: none. */
  readonly range?: readonly [low: string | null, high: string | null]
}

/** Where the feeder stands: who begins here, with these commits, has missed nothing that he has to know. */
export type Welcome = readonly [
  kind: 'welcome',
  systemId: string,
  timeline: number,
  lsn: string,
  tables: readonly RelayedTable[],
  unsettled: readonly RelayedCommit[],
]

/** What the feeder says. Positions are LSNs as text, `16/B374D848`. */
export type Told =
  | Welcome
  | readonly [kind: 'commit', xid: number, tags: readonly string[], lsn: string]
  | readonly [kind: 'progress', lsn: string]
  | readonly [kind: 'tables', tables: readonly RelayedTable[]]
  /** What carries these tags is void: changes of tables themselves, and tags that the feeder gives no more. */
  | readonly [kind: 'void', tags: readonly string[]]
  /** The watches of this message of the follower are known: commits from here on give their tags. */
  | readonly [kind: 'ack', follower: string, number: number]
  | readonly [kind: 'end']

/** What the others ask of it. */
export type Asked =
  /** Where does the feeder stand? */
  | readonly [kind: 'hello']
  /** Ask the database how far the log is. */
  | readonly [kind: 'ping']
  | readonly [kind: 'watch', number: number, watches: readonly RelayedWatch[]]

type Test = (part: unknown) => boolean

const isText: Test = (part) => typeof part === 'string'
const isNumber: Test = (part) => Number.isSafeInteger(part)
const isList =
  (test: Test): Test =>
  (part) =>
    Array.isArray(part) && part.every(test)
const isTexts = isList(isText)
const isMaybe =
  (test: Test): Test =>
  (part) =>
    part === undefined || test(part)
const isLsn: Test = (part) => typeof part === 'string' && parseLsn(part) !== undefined
const isBound: Test = (part) => part === null || (typeof part === 'string' && /^-?\d{1,400}$/.test(part))

function isRecord(tests: Readonly<Record<string, Test>>): Test {
  return (part) => {
    if (typeof part !== 'object' || part === null) return false
    return Object.entries(tests).every(([name, test]) => test((part as Record<string, unknown>)[name]))
  }
}

const isTable = isRecord({ schema: isText, table: isText, key: isTexts })
const isCommit: Test = (part) => Array.isArray(part) && part.length === 2 && isNumber(part[0]) && isTexts(part[1])
const isRange: Test = (part) => Array.isArray(part) && part.length === 2 && part.every(isBound)
const isKind: Test = (part) => isValueKind(part)
const isRows = isRecord({
  table: isRecord({ schema: isText, table: isText }),
  columns: isTexts,
  kinds: isMaybe(isList(isKind)),
  range: isMaybe(isText),
  used: isMaybe(isTexts),
})
const isWatch = isRecord({ rows: isRows, values: isMaybe(isTexts), range: isMaybe(isRange) })

/** How each part of a message has to look, by kind: it comes from another process, maybe of another version. */
const SHAPES: Readonly<Record<string, readonly Test[]>> = {
  welcome: [isText, isNumber, isLsn, isList(isTable), isList(isCommit)],
  commit: [isNumber, isTexts, isLsn],
  progress: [isLsn],
  tables: [isList(isTable)],
  void: [isTexts],
  ack: [isText, isNumber],
  end: [],
  hello: [],
  ping: [],
  watch: [isNumber, isList(isWatch)],
}

/** The message of a text; `undefined` for what is none that is known here. */
export function decodeMessage<M extends Told | Asked>(text: string, kinds: readonly M[0][]): M | undefined {
  const [kind, ...parts] = listIn(text)
  if (!kinds.includes(kind as M[0])) return undefined
  const shape = SHAPES[kind as string]!
  if (parts.length !== shape.length || !shape.every((test, at) => test(parts[at]))) return undefined
  return [kind, ...parts] as unknown as M
}

export const TOLD: readonly Told[0][] = ['welcome', 'commit', 'progress', 'tables', 'void', 'ack', 'end']
export const ASKED: readonly Asked[0][] = ['hello', 'ping', 'watch']

function listIn(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
