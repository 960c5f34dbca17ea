import { expect, test } from 'vitest'
import type { Keyspace } from '../../engine/keyspace.ts'
import { LookAhead } from './look-ahead.ts'

/** Which keys are fetched together, of a pipeline whose commands are run one after the other. */
function fetched(text: string, commandEnds: readonly number[] = []): string[][] {
  return look(text, commandEnds).groups
}

/** `hash` alone has elements. */
function look(text: string, commandEnds: readonly number[] = []): { groups: string[][]; isVain: boolean } {
  const bytes = Buffer.from(text, 'latin1')
  const groups: string[][] = []
  let keys: string[] = []
  const db = {
    expect: (from: Buffer, start: number, end: number) => keys.push(from.toString('latin1', start, end)) < 64,
    fetch: () => groups.push(keys),
    expectElement: (n: number, from: Buffer, start: number, end: number) => {
      keys[n] += ` ${from.toString('latin1', start, end)}`
      return keys[n]!.startsWith('hash')
    },
    fetchElements() {
      keys = []
    },
  } as unknown as Keyspace
  const ahead = new LookAhead()
  ahead.begin()
  for (const from of [0, ...commandEnds]) ahead.look(db, bytes, from, bytes.length)
  return { groups, isVain: ahead.isVain }
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

test('the second words of commands that have come are fetched together, once', () => {
  const first = command('SET', 'one', 'value')
  const text = first + command('PING') + command('GET', 'two') + command('MSET', 'three', '3', 'four', '4')
  expect(fetched(text, [first.length])).toEqual([['one value', 'two', 'three 3']])
})

test('words that are too long to be elements are left alone, and so is what stands behind no key', () => {
  const text =
    command('HSET', 'a', 'f', 'v') + command('SET', 'b', 'x'.repeat(600)) + command('SET', 'y'.repeat(600), 'z')
  expect(fetched(text)).toEqual([['a f', 'b']])
})

test('a key that several commands name one after the other is fetched once, with all their elements', () => {
  const text = ['one', 'two', 'three'].map((field) => command('HSET', 'hash', field, '1')).join('')
  expect(fetched(text + command('HGET', 'cash', 'one') + command('HGET', 'hash', 'four'))).toEqual([
    ['hash one two three', 'cash one', 'hash four'],
  ])
})

test('one key alone, and what is longer than a key, is left alone', () => {
  expect(fetched(command('GET', 'one'))).toEqual([])
  expect(fetched(command('ECHO', 'x'.repeat(600)) + command('GET', 'one') + command('GET', 'two'))).toEqual([
    ['one', 'two'],
  ])
})

test('a long pipeline is fetched in parts', () => {
  const commands = Array.from({ length: 100 }, (_, at) => command('GET', `key:${at}`))
  const ends = commands.map((_, at) => commands.slice(0, at + 1).join('').length)
  expect(fetched(commands.join(''), ends).map(({ length }) => length)).toEqual([64, 36])
})

test.each([
  ['an inline command', 'GET c\r\n'],
  ['no length', '*2\r\n$\r\n'],
  ['a length that is no number', '*2\r\n$3\r\nGET\r\n$x\r\nabc\r\n'],
  ['a length below 0', '*2\r\n$3\r\nGET\r\n$-1\r\n'],
  ['a length that is too long to be read', '*2\r\n$3\r\nGET\r\n$12345678901234567890\r\nabc\r\n'],
  ['a command that has not come whole', '*2\r\n$3\r\nGET\r\n$99\r\nabc'],
  ['a line that has not come whole', '*2\r\n$3'],
  ['bytes of all kinds', '\0\xff*\r\n$\r\n'],
])('%s ends the look', (_, rest) => {
  const good = command('GET', 'a') + command('GET', 'b')
  expect(fetched(good + rest + good)).toEqual([['a', 'b']])
})

test('it was in vain where all name one key that has no elements', () => {
  const push = command('LPUSH', 'list', 'x')
  const set = command('HSET', 'hash', 'one', '1')
  expect(look(push + push + push).isVain).toBe(true)
  expect(look(push + push + command('GET', 'two')).isVain).toBe(false)
  expect(look(push).isVain).toBe(false)
  expect(look(set + set).isVain).toBe(false)
})

test('what lies before a place can be left alone', () => {
  const bytes = Buffer.from(command('GET', 'one') + command('GET', 'two'))
  const ahead = new LookAhead()
  ahead.begin(bytes.length)
  ahead.look({} as Keyspace, bytes, 0, bytes.length)
  expect(ahead.isVain).toBe(false)
})
