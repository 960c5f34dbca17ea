import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { EncodingLimits } from '../encoding-limits.ts'
import { distinctPlaces } from './sample.ts'
import { SetValue } from './set.ts'
import { SortedSet } from './sorted-set.ts'

function setOf(members: readonly string[], limits: EncodingLimits = new EncodingLimits()): SetValue {
  const set = new SetValue(limits)
  for (const member of members) set.add(member)
  return set
}

test('a set of whole numbers of 64 bits is an intset, in the order of numbers, until it was large or had another', () => {
  const set = setOf(['10', '9', '-3', '9223372036854775807', '9223372036854775806', '-9223372036854775808'])
  expect(set.encoding).toBe('intset')
  expect([...set.members()].join()).toBe('-9223372036854775808,-3,9,10,9223372036854775806,9223372036854775807')
  for (const other of ['9223372036854775808', '01', '-0', '+1', '1.0', '', 'a']) {
    expect(setOf(['1', other]).encoding, other).toBe('hashtable')
  }
  set.add('a')
  set.delete('a')
  expect(set.encoding).toBe('hashtable')
  const limits = Object.assign(new EncodingLimits(), { setMaxIntsetEntries: 3 })
  expect(setOf(['1', '2', '3'], limits).encoding).toBe('intset')
  expect(setOf(['1', '2', '3', '4'], limits).encoding).toBe('hashtable')
})

test('a copy has the same members and encoding, and nothing in common', () => {
  const set = setOf(['1', 'a'])
  set.delete('a')
  const twin = set.clone()
  twin.add('2')
  expect([...set.members()]).toEqual(['1'])
  expect(twin.encoding).toBe('hashtable')
})

test('places drawn by chance are different, and each is as likely as any other', () => {
  const random = seededRandom(7)
  const drawn = new Array<number>(10).fill(0)
  for (let round = 0; round < 10_000; round++) {
    const places = distinctPlaces(10, 3, random)
    if (places.size !== 3) throw new Error(`${places.size} places`)
    for (const place of places) drawn[place]!++
  }
  for (const count of drawn) expect(Math.abs(count - 3000), String(drawn)).toBeLessThan(200)
  expect([...distinctPlaces(4, 9, random)].toSorted()).toEqual([0, 1, 2, 3])
  expect(distinctPlaces(4, 0, random).size).toBe(0)
})

test('a sorted set is a listpack until it was large or had a long member', () => {
  const limits = Object.assign(new EncodingLimits(), { zsetMaxListpackEntries: 2, zsetMaxListpackValue: 3 })
  const sorted = new SortedSet(limits)
  for (const member of ['a', 'b']) sorted.set(member, 1)
  expect(sorted.encoding).toBe('listpack')
  expect(sorted.clone().encoding).toBe('listpack')
  sorted.set('c', 1)
  sorted.delete('c')
  expect(sorted.encoding).toBe('skiplist')
  expect(sorted.clone().encoding).toBe('skiplist')
  const long = new SortedSet(limits)
  long.set('long', 1)
  expect(long.encoding).toBe('skiplist')
})

test('a sorted set weighs what its members weigh', () => {
  const sorted = new SortedSet(new EncodingLimits())
  const empty = sorted.weight
  for (let at = 0; at < 1000; at++) sorted.set(`member${at}`, at)
  expect(sorted.weight).toBeGreaterThan(empty + 1000 * 40)
  sorted.set('member0', 99)
  const before = sorted.weight
  sorted.deleteRanks(0, 500)
  expect(sorted.weight).toBeLessThan(before * 0.6)
  sorted.deleteRanks(0, 500)
  expect(sorted.weight).toBe(empty)
})
