/** The arithmetic of what is visible and what is proven: snapshots, log positions, unsettled commits. */
import { expect, test } from 'vitest'
import { beforePageHeader, formatLsn, parseLsn } from './lsn.ts'
import { formatPosition, parsePosition } from './position.ts'
import { parseSnapshot, seenOnlyBy, sees, widenXid } from './snapshot.ts'
import { UnsettledCommits } from './unsettled.ts'

test('log positions are read and written as PostgreSQL writes them', () => {
  for (const text of ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF']) expect(formatLsn(parseLsn(text)!)).toBe(text)
  for (const text of ['', '1', '1/', 'x/1', '1/123456789', '1/1/1']) expect(parseLsn(text)).toBeUndefined()
  expect(parseLsn('1/0')).toBe(2n ** 32n)
  const position = { systemId: '7391283', timeline: 2, lsn: 0x16_b374d848n }
  expect(formatPosition(position)).toBe('7391283/2/16/B374D848')
  expect(parsePosition('7391283/2/16/B374D848')).toEqual(position)
  for (const text of ['', '1/2/3', '1/2/3/4/5', 'a/1/0/0', '1/1/0/g']) expect(parsePosition(text)).toBeUndefined()
})

test('an insert position behind a page header is taken back to the end of the last record', () => {
  const segment = 16n * 1024n * 1024n
  expect(beforePageHeader(8192n * 5n + 24n, segment)).toBe(8192n * 5n)
  expect(beforePageHeader(segment * 3n + 40n, segment)).toBe(segment * 3n)
  expect(beforePageHeader(8192n * 5n + 48n, segment)).toBe(8192n * 5n + 48n)
})

test('a snapshot sees what ended before it, and not what runs or came later', () => {
  const snapshot = parseSnapshot('100:110:101,105')
  expect([99n, 100n, 101n, 104n, 105n, 109n, 110n, 111n].filter((xid) => sees(snapshot, xid))).toEqual([
    99n,
    100n,
    104n,
    109n,
  ])
  expect(parseSnapshot('7:7:').running.size).toBe(0)
  expect(() => parseSnapshot('7:7')).toThrow()
  expect(seenOnlyBy(parseSnapshot('100:110:105'), snapshot)).toEqual([101n])
  expect(seenOnlyBy(snapshot, parseSnapshot('100:110:105'))).toEqual([])
})

test('32-bit transaction numbers are told apart over the wrap', () => {
  const wrap = 2n ** 32n
  expect(widenXid(5, wrap + 3n)).toBe(wrap + 5n)
  expect(widenXid(4_294_967_290, wrap + 3n)).toBe(wrap - 6n)
  expect(widenXid(3, wrap - 2n)).toBe(wrap + 3n)
  expect(widenXid(700, 726n)).toBe(700n)
})

test('a commit stays unsettled until a snapshot sees it; a kept slot is acknowledged only up to the oldest', async () => {
  const unsettled = new UnsettledCommits()
  expect(unsettled.settledUpTo(50n)).toBe(50n)
  unsettled.add(101, ['a'], 10n)
  unsettled.add(105, ['b'], 20n)
  let settled = 0
  const both = unsettled.settled().then(() => settled++)
  expect(unsettled.take(parseSnapshot('100:110:101'))).toEqual([['b']])
  expect(unsettled.settledUpTo(50n)).toBe(10n)
  unsettled.add(112, ['c'], 30n)
  expect(settled).toBe(0)
  expect(unsettled.take(parseSnapshot('105:110:'))).toEqual([['a']])
  // What came after the question does not delay the answer.
  await both
  expect(unsettled.tags()).toEqual([['c']])
  expect(unsettled.settledUpTo(50n)).toBe(30n)
  const rest = unsettled.settled()
  unsettled.clear()
  await rest
  expect(unsettled.size).toBe(0)
})

test('a tag that is new counts as unsettled in each commit of its table', () => {
  const unsettled = new UnsettledCommits()
  unsettled.add(101, ['orders', 'orders:1'], 10n)
  unsettled.add(102, ['users'], 20n)
  unsettled.add(103, ['orders', 'orders:2'], 30n)
  expect(unsettled.extend('orders', 'orders?new')).toEqual(['orders?new', 'orders?new'])
  expect(unsettled.take(parseSnapshot('110:110:'))).toEqual([
    ['orders', 'orders:1', 'orders?new'],
    ['users'],
    ['orders', 'orders:2', 'orders?new'],
  ])
})
