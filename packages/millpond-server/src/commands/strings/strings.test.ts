import { describe, expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  return { service, client: service.client(), log: service.logLines() }
}

describe('SET', () => {
  test('with NX, XX and GET', () => {
    const { client } = start()
    expect(client.say('set key 1 xx')).toBe(null)
    expect(client.say('set key 1 nx')).toBe('OK')
    expect(client.say('set key 2 nx')).toBe(null)
    expect(client.say('set key 2 nx get')).toBe('1')
    expect(client.say('set key 2 xx get')).toBe('1')
    expect(client.say('get key')).toBe('2')
    expect(client.say('set key 3 nx xx')).toEqual({ error: 'ERR syntax error' })
  })

  test('with a time to live is told to the log with its moment', () => {
    const { client, service, log } = start()
    const now = service.time.nowMs
    expect(client.say('set key value ex 10')).toBe('OK')
    expect(client.say('pttl key')).toBe(10_000)
    expect(client.say('set key other keepttl')).toBe('OK')
    expect(client.say('pttl key')).toBe(10_000)
    service.time.pass(10_000)
    expect(client.say('get key')).toBe(null)
    expect(log.slice(0, 2)).toEqual([`SET key value PXAT ${now + 10_000}`, 'set key other keepttl'])
  })

  test('with a moment that is over leaves nothing', () => {
    const { client, log } = start()
    client.say('set key old')
    expect(client.say('set key value pxat 1')).toBe('OK')
    expect(client.say('exists key')).toBe(0)
    expect(log.at(-1)).toBe('DEL key')
  })

  test.each([
    ['set key value ex 0', "invalid expire time in 'set' command"],
    ['set key value px -1', "invalid expire time in 'set' command"],
    ['set key value ex 9223372036854775807', "invalid expire time in 'set' command"],
    ['setex key 0 value', "invalid expire time in 'setex' command"],
    ['set key value ex abc', 'value is not an integer or out of range'],
    ['set key value ex', 'syntax error'],
    ['set key value ex 1 px 1', 'syntax error'],
    ['set key value keepttl ex 1', 'syntax error'],
  ])('%s is refused', (line, error) => {
    const { client, log } = start()
    expect(client.say(line)).toEqual({ error: `ERR ${error}` })
    expect(client.say('exists key')).toBe(0)
    expect(log).toEqual([])
  })
})

describe('numbers', () => {
  test('are added in 64 bits, also where doubles have too few', () => {
    const { client } = start()
    expect(client.say('incr key')).toBe(1)
    expect(client.say('decrby key 3')).toBe(-2)
    client.say('set key 9007199254740990')
    expect([client.say('incr key'), client.say('incr key')]).toEqual([9007199254740991, 9007199254740992n])
    client.say('set key 9223372036854775806')
    expect(client.say('incr key')).toBe(9223372036854775807n)
    expect(client.say('incr key')).toEqual({ error: 'ERR increment or decrement would overflow' })
    expect(client.say('get key')).toBe('9223372036854775807')
  })

  test('keep the time to live', () => {
    const { client } = start()
    client.say('set key 1 px 5000')
    client.say('incr key')
    client.say('incrbyfloat key 1.5')
    client.say('append key 0')
    client.say('setrange key 0 9')
    client.say('setbit key 100 1')
    expect(client.say('pttl key')).toBe(5000)
  })

  test.each(['', ' 1', '1 ', '01', '-0', '+1', '1.0', 'a', '9223372036854775808'])('%j is none', (text) => {
    const { client } = start()
    client.run('set', 'key', text)
    expect(client.say('incr key')).toEqual({ error: 'ERR value is not an integer or out of range' })
    expect(client.say('get key')).toBe(text)
  })

  test('with a fraction are told to the log as what they have become', () => {
    const { client, log } = start()
    expect(client.say('incrbyfloat key 0.1')).toBe('0.1')
    expect(client.say('incrbyfloat key 0.2')).toBe('0.3')
    expect(log).toEqual(['SET key 0.1 KEEPTTL', 'SET key 0.3 KEEPTTL'])
  })
})

describe('GETEX and GETDEL', () => {
  test('tell the log what they did, and nothing where they did nothing', () => {
    const { client, service, log } = start()
    client.say('set key value')
    expect(client.say('getex key')).toBe('value')
    expect(client.say('getex key px 100')).toBe('value')
    expect(client.say('getex key persist')).toBe('value')
    expect(client.say('getex key persist')).toBe('value')
    expect(client.say('getdel key')).toBe('value')
    expect(client.say('getdel key')).toBe(null)
    expect(log.slice(1)).toEqual([`PEXPIREAT key ${service.time.nowMs + 100}`, 'PERSIST key', 'DEL key'])
  })
})

describe('parts of strings', () => {
  test('any bytes survive', () => {
    const { client } = start()
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
    client.run('set', 'key', bytes)
    client.run('append', 'key', bytes)
    const text = Buffer.from(bytes).toString('latin1')
    expect(client.say('get key')).toBe(text + text)
    expect(client.say('getrange key 250 259')).toBe((text + text).slice(250, 260))
    expect(client.say('strlen key')).toBe(512)
  })

  test('SETRANGE fills with zeros, and makes no key of nothing', () => {
    const { client, log } = start()
    expect(client.run('setrange', 'key', 5, '')).toBe(0)
    expect(client.say('exists key')).toBe(0)
    expect(client.say('setrange key 3 ab')).toBe(5)
    expect(client.say('get key')).toBe('\0\0\0ab')
    expect(log).toEqual(['setrange key 3 ab'])
  })

  test('none becomes longer than is allowed', () => {
    const { client, service } = start()
    service.settings.bulkBytesMax = 10
    const error = { error: 'ERR string exceeds maximum allowed size (proto-max-bulk-len)' }
    expect(client.say('setrange key 6 abcde')).toEqual(error)
    client.say('set key 123456')
    expect(client.say('append key 78901')).toEqual(error)
    expect(client.say('get key')).toBe('123456')
  })
})

describe('LCS', () => {
  test('text, length and places', () => {
    const { client } = start()
    client.say('mset one ohmytext other mynewtext')
    expect(client.say('lcs one other')).toBe('mytext')
    expect(client.say('lcs one other len')).toBe(6)
    expect(client.say('lcs one other idx minmatchlen 4 withmatchlen')).toEqual([
      'matches',
      [[[4, 7], [5, 8], 4]],
      'len',
      6,
    ])
    expect(client.say('lcs one none')).toBe('')
  })
})

test('MSETNX sets all or none', () => {
  const { client } = start()
  client.say('set two 2')
  expect(client.say('msetnx one 1 two 1')).toBe(0)
  expect(client.say('mget one two three')).toEqual([null, '2', null])
  expect(client.say('msetnx one 1 three 1')).toBe(1)
})

test('what is no string is refused, and MGET tells nothing of it', () => {
  const { client } = start()
  client.say('rpush list a')
  const wrong = { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }
  for (const command of [
    'get list',
    'incr list',
    'append list a',
    'set list a get',
    'strlen list',
    'setbit list 0 1',
  ]) {
    expect(client.say(command)).toEqual(wrong)
  }
  expect(client.say('mget list')).toEqual([null])
  expect(client.say('llen list')).toBe(1)
})
