import { expect, test } from 'vitest'
import { MemcachedTest } from './testing.ts'

function start() {
  const { service, connect } = new MemcachedTest()
  void connect
  const world = new MemcachedTest({}, service)
  return { service, one: world.connect() }
}

test('stale items: served with X, once with W, then with Z, until somebody stores a new value', () => {
  const { one } = start()
  one.set('key', 'old')
  expect(one.ask('md key I T30', 'mg key t v')).toEqual(['HD', 'VA 3 t30 X W', 'old'])
  expect(one.ask('mg key v')).toEqual(['VA 3 Z X', 'old'])
  expect(one.ask('ms key 3\r\nnew', 'mg key v t')).toEqual(['HD', 'VA 3 t-1', 'new'])
})

test('a cas from before the item became stale stores, and it stays stale', () => {
  const { one } = start()
  one.set('key', 'old')
  const cas = one.cas('key')
  one.ask('md key I')
  expect(one.ask(`ms key 3 C${cas}\r\nnot`, `ms key 3 C${cas} I T90\r\nnew`)).toEqual(['EX', 'HD'])
  expect(one.ask('mg key v t')).toEqual(['VA 3 t-1 X W', 'new'])
})

test('vivify: the first to miss wins, the others see that somebody is at it', () => {
  const { service, one } = start()
  expect(one.ask('mg key N30 v t s', 'mg key N30 v')).toEqual(['VA 0 t30 s0 W', '', 'VA 0 Z', ''])
  expect(service.client().say('ttl key')).toBe(30)
  expect(one.ask('ms key 1 T100\r\nx', 'mg key R200 v', 'mg key R200 v')).toEqual(['HD', 'VA 1 W', 'x', 'VA 1 Z', 'x'])
})

test('numbers: wrap above, stop below, and are made', () => {
  const { one } = start()
  expect(one.ask('ma n N0 J18446744073709551615 v', 'ma n v', 'ma n MD v', 'ma n D5 v t')).toEqual([
    ...['VA 20', '18446744073709551615', 'VA 1', '0', 'VA 1', '0', 'VA 1 t-1', '5'],
  ])
  expect(one.ask('ma n q', 'ma none q', 'ma n Mx', 'mg n v')).toEqual([
    ...['NF', 'CLIENT_ERROR invalid mode for ma M token', 'VA 1', '6'],
  ])
})

test('keys in base64, opaque tokens, and what flags are refused', () => {
  const { service, one } = start()
  const key = Buffer.from([0, 13, 10, 32, 255])
  const text = key.toString('base64')
  expect(one.ask(`ms ${text} 2 b k Oa\r\nhi`, `mg ${text} b v k`)).toEqual([
    `HD k${text} b Oa`,
    `VA 2 k${text} b`,
    'hi',
  ])
  expect(service.client().run('get', key)).toBe('hi')
  expect(one.ask('mg k v v', 'mg k %', 'mg ! b', 'mg', `mg k O${'x'.repeat(32)}`, `mg k${' k'.repeat(18)}`)).toEqual([
    'CLIENT_ERROR duplicate flag',
    'CLIENT_ERROR invalid flag',
    'CLIENT_ERROR error decoding key',
    'ERROR',
    'CLIENT_ERROR opaque token too long',
    'CLIENT_ERROR options flags are too long',
  ])
})

test('what a reader leaves: hit before, time since the last use, and nothing with u', () => {
  const { service, one } = start()
  one.set('key', 'x')
  expect(one.ask('mg key h u', 'mg key h', 'mg key h u')).toEqual(['HD h0', 'HD h0', 'HD h1'])
  service.time.pass(5000)
  expect(one.ask('mg key l', 'mg key l')).toEqual(['HD l5', 'HD l0'])
  expect(one.ask('me key')[0]).toMatch(/^ME key exp=-1 la=0 cas=0 fetch=yes cls=1 size=\d+$/)
})
