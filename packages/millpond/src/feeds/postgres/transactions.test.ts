import { beforeEach, expect, test } from 'vitest'
import type { ChangedTags } from './changed-tags.ts'
import type { Relation } from './pgoutput.ts'
import type { RowChange } from './row.ts'
import type { RowTags } from './row-tags.ts'
import { Transactions } from './transactions.ts'
import { Watches } from './watches.ts'

const relation: Relation = { oid: 7, schema: 'public', table: 't', identity: 'd', columns: [] }
let told: { xid: number; tags: readonly string[] }[]
let shapes: number
let transactions: Transactions
let nextKey: string

/** Stands for the real naming of rows: each row is named as the test says. */
const rowTags = {
  row: (_: RowChange, into: ChangedTags) => into.row('t', nextKey),
  bulk: (_: Relation, into: ChangedTags) => into.bulk('t'),
  knows: () => true,
  forget() {},
} as unknown as RowTags

beforeEach(() => {
  told = []
  shapes = 0
  transactions = new Transactions({
    rowTags,
    rowTagsMax: 5000,
    watches: new Watches(),
    onCommit: ({ xid, tags }) => told.push({ xid, tags }),
    onShape: () => shapes++,
  })
})

function row(key: string, subxid?: number): void {
  nextKey = key
  transactions.row({} as RowChange, subxid)
}

function streamed(xid: number, ...rows: [key: string, subxid: number][]): void {
  transactions.streamStart(xid)
  for (const [key, subxid] of rows) row(key, subxid)
  transactions.streamStop()
}

test('changes are told with their commit, transaction by transaction', () => {
  transactions.begin(1)
  row('a')
  expect(transactions.inside).toBe(true)
  transactions.commit(1n, 2n)
  transactions.begin(2)
  transactions.commit(3n, 4n)
  expect(transactions.inside).toBe(false)
  expect(told).toEqual([
    { xid: 1, tags: ['t', 't:a'] },
    { xid: 2, tags: [] },
  ])
  expect(transactions.changes).toBe(1)
})

test('streamed transactions lie side by side; what was rolled back is forgotten, in part or whole', () => {
  streamed(5, ['a', 5], ['b', 6])
  streamed(9, ['c', 10])
  transactions.begin(3)
  row('d')
  transactions.commit(1n, 2n)
  streamed(5, ['e', 7])
  transactions.streamAbort(5, 6)
  transactions.streamCommit(5, 3n, 4n)
  transactions.streamAbort(9, 9)
  // The same number again: nothing is left of the one that was rolled back.
  streamed(9, ['f', 9])
  transactions.streamCommit(9, 5n, 6n)
  transactions.streamCommit(11, 7n, 8n)
  expect(told).toEqual([
    { xid: 3, tags: ['t', 't:d'] },
    { xid: 5, tags: ['t', 't:a', 't:e'] },
    { xid: 9, tags: ['t', 't:f'] },
    { xid: 11, tags: [] },
  ])
})

test('beyond a thousand subtransactions their changes are told even if rolled back: more, never less', () => {
  streamed(5, ...Array.from({ length: 1001 }, (_, index): [string, number] => [`k${index}`, 100 + index]))
  transactions.streamAbort(5, 100)
  transactions.streamAbort(5, 1100)
  transactions.streamCommit(5, 1n, 2n)
  expect(told[0]!.tags).not.toContain('t:k0')
  expect(told[0]!.tags).toContain('t:k1000')
  expect(told[0]!.tags).toHaveLength(1001)
})

test('a relation that comes again has the catalog read; one that has changed voids its rows', () => {
  transactions.begin(1)
  transactions.relation(relation, undefined)
  expect(shapes).toBe(0)
  transactions.relation({ ...relation }, relation)
  transactions.commit(1n, 2n)
  transactions.begin(2)
  transactions.relation({ ...relation, identity: 'f' }, relation)
  transactions.commit(1n, 2n)
  expect(shapes).toBe(2)
  expect(told.map(({ tags }) => tags)).toEqual([[], ['t', 't:*']])
})

test('a change outside of any transaction is refused', () => {
  expect(() => row('a')).toThrow(/without a transaction/)
  expect(() => row('a', 5)).toThrow(/outside of its block/)
  expect(() => transactions.commit(1n, 2n)).toThrow(/without a transaction/)
})
