import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { Arguments } from '../arguments.ts'
import { EncodingLimits } from '../encoding-limits.ts'
import { Stream, type StreamEntry } from './stream.ts'
import { compareIds, formatId, idAfter, idBefore, MAX_ID, MIN_ID, parseId, type StreamId } from './stream-id.ts'
import { StreamIndex } from './stream-index.ts'

const id = (text: string): StreamId => parseId(text)!

function wordsOf(entry: StreamEntry): string[] {
  const words: string[] = []
  entry.tell({ bytes: (bytes, start, end) => words.push(Buffer.from(bytes).toString('latin1', start, end)) })
  return words
}

describe('an id', () => {
  test('has halves of 64 bits', () => {
    expect(parseId('18446744073709551615-18446744073709551615')).toEqual(MAX_ID)
    expect(parseId('18446744073709551616-0')).toBeUndefined()
    expect(formatId(id('9007199254740993-9007199254740992'))).toBe('9007199254740993-9007199254740992')
    expect(parseId('7', 9)).toEqual({ ms: 7, seq: 9 })
    for (const text of ['', '-', '+', 'a', '1-', '1-2-3', '-1', '1.5', '*']) expect(parseId(text), text).toBeUndefined()
  })

  test('has neighbours, also where a double ends and a half does', () => {
    const pairs = [
      ['1-1', '1-2'],
      ['1-18446744073709551615', '2-0'],
      ['1-9007199254740990', '1-9007199254740991'],
      ['1-9007199254740991', '1-9007199254740992'],
      ['9007199254740991-18446744073709551615', '9007199254740992-0'],
    ]
    for (const [before, after] of pairs) {
      expect(formatId(idAfter(id(before!))!)).toBe(after)
      expect(formatId(idBefore(id(after!))!)).toBe(before)
      expect(compareIds(id(before!), id(after!))).toBeLessThan(0)
    }
    expect(idAfter(MAX_ID)).toBeUndefined()
    expect(idBefore(MIN_ID)).toBeUndefined()
  })
})

test('a stream does what a list does, whatever is added, deleted and trimmed', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seededRandom(seed)
    const below = (count: number) => Math.floor(random() * count)
    const limits = Object.assign(new EncodingLimits(), { streamNodeMaxEntries: 1 + below(20) })
    const stream = new Stream(limits)
    let model: { id: StreamId; words: string[] }[] = []
    let last = MIN_ID
    for (let step = 0; step < 1000; step++) {
      const context = `seed ${seed}, step ${step}`
      const choice = random()
      if (choice < 0.6) {
        last = { ms: (last.ms as number) + below(2), seq: (last.seq as number) + 1 }
        const words = ['name', `\xff\0${step}`, below(5) === 0 ? 'other' : 'name2', 'v'.repeat(below(400))]
        stream.add(last, Arguments.of(['XADD', 'key', '*', ...words]), 3)
        model.push({ id: last, words })
      } else if (choice < 0.9 && model.length > 0) {
        const gone = model[below(model.length)]!.id
        expect(stream.delete(gone), context).toBe(true)
        expect(stream.delete(gone), context).toBe(false)
        model = model.filter((entry) => entry.id !== gone)
      } else if (choice < 0.93) {
        const keep = below(100)
        expect(stream.trim({ keep, approximate: false, limit: 0 }), context).toBe(Math.max(0, model.length - keep))
        model = model.slice(Math.max(0, model.length - keep))
      } else if (choice < 0.95) {
        const keep = { ms: Math.max(0, (last.ms as number) - below(60)), seq: 0 }
        const left = model.filter((entry) => compareIds(entry.id, keep) >= 0)
        expect(stream.trim({ keep, approximate: false, limit: 0 }), context).toBe(model.length - left.length)
        model = left
      } else if (choice < 0.97) {
        const removed = stream.trim({ keep: below(60), approximate: true, limit: below(40) })
        model = model.slice(removed)
      }
      if (step % 20 !== 0) continue
      expect(stream.size, context).toBe(model.length)
      expect(stream.firstId, context).toEqual(model[0]?.id ?? MIN_ID)
      expect(stream.topId, context).toEqual(model.at(-1)?.id ?? MIN_ID)
      const [start, end] = [0, 0].map(() => ({
        ms: below((last.ms as number) + 2),
        seq: below((last.seq as number) + 2),
      }))
      const inRange = model.filter((entry) => compareIds(entry.id, start!) >= 0 && compareIds(entry.id, end!) <= 0)
      expect(stream.range(start!, end!, Infinity).map(wordsOf), context).toEqual(inRange.map(({ words }) => words))
      const few = stream.range(start!, end!, 7, true).map((entry) => entry.id)
      expect(few, context).toEqual(
        inRange
          .map((entry) => entry.id)
          .reverse()
          .slice(0, 7),
      )
      expect(stream.clone().range(MIN_ID, MAX_ID, Infinity).map(wordsOf), context).toEqual(
        model.map(({ words }) => words),
      )
    }
  }
})

test('weighs what its blocks and groups weigh, and little when all is gone', () => {
  const stream = new Stream(new EncodingLimits())
  const empty = stream.weight
  for (let at = 1; at <= 1000; at++) stream.add({ ms: at, seq: 0 }, Arguments.of(['', 'f', 'x'.repeat(100)]), 1)
  expect(stream.weight).toBeGreaterThan(100_000)
  expect(stream.weight).toBeLessThan(300_000)
  for (let at = 1; at <= 500; at++) stream.delete({ ms: at, seq: 0 })
  stream.trim({ keep: 0, approximate: false, limit: 0 })
  expect(stream.weight).toBe(empty)
  const group = stream.createGroup('group', MIN_ID, 0)
  group.deliver(id('1-1'), group.createConsumer('one', 0), 0)
  expect(stream.weight).toBeGreaterThan(empty)
})

test('an index of ids does what a sorted list does', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = seededRandom(seed)
    const index = new StreamIndex<number>()
    const model = new Map<number, number>()
    const faults: number[] = []
    for (let step = 0; step < 3000; step++) {
      const ms = random() < 0.5 ? step : Math.floor(random() * 3000)
      const key = { ms, seq: 0 }
      if (random() < 0.6) {
        index.set(key, step)
        model.set(ms, step)
      } else if (index.delete(key) !== model.delete(ms)) faults.push(step)
      if (index.get(key) !== model.get(ms)) faults.push(step)
    }
    expect(faults, `seed ${seed}`).toEqual([])
    const sorted = [...model].toSorted(([one], [other]) => one - other)
    const from = Math.floor(random() * 3000)
    const found = [...index.entries({ ms: from, seq: 0 })].map(([{ ms }, value]) => [ms, value])
    expect(index.size).toBe(model.size)
    expect(found, `seed ${seed}`).toEqual(sorted.filter(([ms]) => ms >= from))
    expect([index.firstId().ms, index.lastId().ms]).toEqual([sorted[0]![0], sorted.at(-1)![0]])
  }
})
