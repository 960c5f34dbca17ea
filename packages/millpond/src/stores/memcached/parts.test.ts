import { describe, expect, test } from 'vitest'
import { OptionError } from '../../core/errors.ts'
import { addressesOf } from './address.ts'
import { packed, readItem } from './item.ts'
import { memcachedStore } from './memcached-store.ts'
import { flagOf, type Reply, ReplyReader } from './replies.ts'
import { storedKey } from './stored-key.ts'

describe('replies', () => {
  const value = 'a\r\nEN\r\nü'
  const bytes = Buffer.from(`HD\r\nVA ${Buffer.byteLength(value)} t30 c12\r\n${value}\r\nEN\r\nVA 0\r\n\r\n`)
  const shown = (replies: Reply[]) => replies.map((reply) => [reply.line, reply.value?.toString()])

  test.each([1, 2, 3, 7, 1000])('are read from chunks of %d bytes', (size) => {
    const reader = new ReplyReader()
    const replies: Reply[] = []
    for (let at = 0; at < bytes.length; at += size) replies.push(...reader.take(bytes.subarray(at, at + size)))
    expect(shown(replies)).toEqual([['HD', undefined], [`VA ${Buffer.byteLength(value)} t30 c12`, value], ['EN', undefined], ['VA 0', '']]) // biome-ignore format: one line
    expect(replies.map(({ status }) => status)).toEqual(['HD', 'VA', 'EN', 'VA'])
    expect([flagOf(replies[1]!, 'c'), flagOf(replies[1]!, 't'), flagOf(replies[1]!, 'f')]).toEqual([
      '12',
      '30',
      undefined,
    ])
  })

  test.each(['VA x\r\n', 'VA 99999999999\r\n', 'y'.repeat(10_000)])('what is no reply is refused: %.20s', (text) => {
    expect(() => new ReplyReader().take(Buffer.from(text))).toThrow('does not speak')
  })

  test('a large value in small chunks is put together once', () => {
    const reader = new ReplyReader()
    const large = Buffer.alloc(4_000_000, 'x')
    reader.take(Buffer.from(`VA ${large.length}\r\n`))
    const started = process.cpuUsage()
    let replies: Reply[] = []
    for (let at = 0; at < large.length; at += 1000) replies = reader.take(large.subarray(at, at + 1000))
    expect(replies).toEqual([])
    expect(reader.take(Buffer.from('\r\n'))[0]!.value!.equals(large)).toBe(true)
    // Put together at each of the 4000 chunks, 8 GB would have been copied: seconds.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000)
  })
})

describe('keys', () => {
  const odd = ['', ' ', 'a b', 'a%0020b', 'a%b', '\n', '\r\n', '\0', '\x7f', 'ü', '€', '😀', '\ud800', '\ud801', '%=', 'x'.repeat(250), 'x'.repeat(251), 'ü'.repeat(60)] // biome-ignore format: one line

  test('are what Memcached takes, and no two names have one', () => {
    const keys = odd.flatMap((name) => (['e', 't', 'l'] as const).map((kind) => storedKey('millpond:', kind, name)))
    for (const key of keys) expect(key).toMatch(/^[!-~]{1,250}$/)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('stay what they are: a release that changed them would find nothing, and leave what it does not find', () => {
    expect(storedKey('millpond:', 'e', 'shop:user:17')).toBe('millpond:e:shop:user:17')
    expect(storedKey('', 't', 'shop#ü 100%')).toBe('t:shop#%00fc%0020100%0025')
    expect(storedKey('millpond:', 'l', 'x'.repeat(300))).toBe(
      'millpond:l:%=LBnwkSa5sjUQJRqpaWaG0L44xUs8mQ6YkVDGTvuzvRY',
    )
  })

  test('with the longest prefix have room', () => {
    for (const name of odd) expect(storedKey('p'.repeat(100), 'e', name).length).toBeLessThanOrEqual(250)
  })
})

describe('the life of an item', () => {
  const nowMs = 1_800_000_000_000

  test.each([
    [0, 1],
    [1, 2],
    [1000, 2],
    [1001, 3],
    [86_400_000, 86_401],
    [30 * 86_400_000, 2_592_000],
    [400 * 86_400_000, 2_592_000],
    [Number.POSITIVE_INFINITY, 0],
  ])('of %d ms is %d seconds to Memcached', (lifeMs, exptime) => {
    const item = packed({ text: 'x', lifeMs }, nowMs)
    expect(item.exptime).toBe(exptime)
    const { text, agedMs, hasEnded } = readItem(item.text, exptime === 0 ? -1 : exptime, nowMs)!
    expect([text, agedMs, hasEnded]).toEqual(['x', 1, lifeMs <= 1])
  })

  test('is counted by the clocks, as long as they agree with the server', () => {
    const { text } = packed({ text: 'x\ny', lifeMs: 10_000, fenceMs: 3000 }, nowMs)
    const aged = (ms: number, secondsLeft: number) => readItem(text, secondsLeft, nowMs + ms)!
    expect(aged(2499, 9)).toEqual({ text: 'x\ny', agedMs: 2500, fenceLeftMs: 500, hasEnded: false })
    expect(aged(9999, 1)).toEqual({ text: 'x\ny', agedMs: 10_000, fenceLeftMs: 0, hasEnded: true })
  })

  test.each([-3_600_000, 3_600_000])('is wrong by a second at most when the clocks differ by %d ms', (offMs) => {
    const { text } = packed({ text: 'x', lifeMs: 60_000 }, nowMs)
    const { agedMs } = readItem(text, 61 - 20, nowMs + offMs)!
    expect(Math.abs(agedMs - 20_000)).toBeLessThanOrEqual(1000)
  })

  test('a fence outlasts a shorter life', () => {
    const { text, exptime } = packed({ text: 'x', lifeMs: 1000, fenceMs: 30_000 }, nowMs)
    expect(exptime).toBe(31)
    expect(readItem(text, 20, nowMs + 11_000)).toMatchObject({ fenceLeftMs: 18_999, hasEnded: false })
  })

  test.each(['', 'hello', '1 2 3\nx', 'x 1 1 1\n'])('%j is no item', (text) => {
    expect(readItem(text, 5, nowMs)).toBeUndefined()
  })
})

describe('servers', () => {
  test.each([
    ['10.0.0.1:11211,10.0.0.2', ['10.0.0.1:11211', '10.0.0.2:11211']],
    [' a:1 , b:2 ', ['a:1', 'b:2']],
    [
      ['a:1', 'b:2,c:3'],
      ['a:1', 'b:2', 'c:3'],
    ],
    ['[::1]:11212', ['[::1]:11212']],
    ['[::1]', ['[::1]:11211']],
    ['memcached://cache.local:11211/', ['cache.local:11211']],
    ['/run/memcached.sock', ['/run/memcached.sock']],
  ])('%j', (given, names) => {
    expect(addressesOf(given).map(({ name }) => name)).toEqual(names)
  })

  test('with a login', () => {
    const [address] = addressesOf('memcached://ada:p%40ss%2C1@10.0.0.1:11212')
    expect(address).toMatchObject({ name: '10.0.0.1:11212', at: { host: '10.0.0.1', port: 11212 }, login: { user: 'ada', password: 'p@ss,1' } }) // biome-ignore format: one line
    expect(addressesOf('[::1]:5')[0]!.at).toEqual({ host: '::1', port: 5 })
  })

  test.each([
    undefined as never,
    {} as never,
    [undefined as never],
    '',
    ' , ',
    [],
    'a:1,a:1',
    'a:b',
    'a:99999',
    'http://a:1',
    'a b:1',
    'redis://x@y@z:1',
  ])('%j is refused', (given) => {
    expect(() => addressesOf(given)).toThrow(OptionError)
  })

  test.each(['ada:secret@a:99999', 'ada:x:secret@a:', 'ada:secret@y@a:1', 'ada:secret,y@a:1', 'ada:secret%@a:1'])(
    'an error of %s does not show the password',
    (given) => {
      for (const text of [given, `memcached://${given}`, `b:1,${given}`])
        expect(() => addressesOf(text)).toThrow(/^servers: (?!.*secret)".*@a/)
      expect(() => addressesOf(`ada:secret@a:1,a:1`)).toThrow(/^servers: (?!.*secret).*once/)
    },
  )
})

describe('options', () => {
  test.each([
    [{ prefix: 'a b' }],
    [{ prefix: 'x'.repeat(101) }],
    [{ timeout: '5 mins' as never }],
    [{ stallTimeout: -1 }],
    [{ stallTimeout: 0 }],
    [{ timeout: 0 }],
  ])('%j are refused', (options) => {
    expect(() => memcachedStore('localhost', options)).toThrow(OptionError)
  })
})
