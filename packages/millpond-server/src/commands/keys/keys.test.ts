import { describe, expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  return { service, client: service.client(), log: service.logLines() }
}

describe('expiry', () => {
  test('is told to the log as a moment', () => {
    const { service, client, log } = start()
    client.say('set key value')
    const now = service.time.nowMs
    expect(client.say('expire key 10')).toBe(1)
    expect(client.say('ttl key')).toBe(10)
    expect(client.say('pexpiretime key')).toBe(now + 10_000)
    expect(client.say('expire none 10')).toBe(0)
    expect(client.say('expire key -1')).toBe(1)
    expect(client.say('exists key')).toBe(0)
    expect(log.slice(1)).toEqual([`PEXPIREAT key ${now + 10_000}`, 'DEL key'])
  })

  test('conditions ask what is so already', () => {
    const { client } = start()
    client.say('set key value')
    expect(client.say('expire key 100 xx')).toBe(0)
    expect(client.say('expire key 100 gt')).toBe(0)
    expect(client.say('expire key 100 lt xx')).toBe(0)
    expect(client.say('expire key 100 lt')).toBe(1)
    expect(client.say('expire key 200 nx')).toBe(0)
    expect(client.say('expire key 200 gt')).toBe(1)
    expect(client.say('ttl key')).toBe(200)
    expect(client.say('persist key')).toBe(1)
    expect(client.say('persist key')).toBe(0)
    expect(client.say('ttl key')).toBe(-1)
    expect(client.say('ttl none')).toBe(-2)
  })

  test.each([
    ['expire key 1 nx xx', 'NX and XX, GT or LT options at the same time are not compatible'],
    ['expire key 1 gt lt', 'GT and LT options at the same time are not compatible'],
    ['expire key 1 AB', 'Unsupported option AB'],
    ['expire key 1 constructor', 'Unsupported option constructor'],
    ['expire key 9223372036854775', "invalid expire time in 'expire' command"],
    ['pexpire key 9223372036854775807', "invalid expire time in 'pexpire' command"],
    ['expireat key -9223372036854775', undefined],
    ['expire key 1.5', 'value is not an integer or out of range'],
  ])('%s', (line, error) => {
    const { client } = start()
    client.say('set key value')
    expect(client.say(line)).toEqual(error === undefined ? 1 : { error: `ERR ${error}` })
  })
})

describe('names', () => {
  test('RENAME takes the expiry along, and nothing of what was there', () => {
    const { service, client } = start()
    const events = service.events()
    client.say('rpush from a')
    client.say('pexpire from 1000')
    client.say('set to value')
    expect(client.say('rename from to')).toBe('OK')
    expect(client.say('lrange to 0 -1')).toEqual(['a'])
    expect(client.say('pttl to')).toBe(1000)
    expect(client.say('exists from')).toBe(0)
    expect(client.say('rename from to')).toEqual({ error: 'ERR no such key' })
    expect(client.say('rename to to')).toBe('OK')
    expect(client.say('renamenx to to')).toBe(0)
    expect(events.slice(3)).toEqual(['rename_from from', 'rename_to to'])
  })

  test('COPY makes a twin that goes its own way', () => {
    const { client } = start()
    for (const line of [
      'rpush value a',
      'hset value a 1',
      'sadd value a',
      'zadd value 1 a',
      'xadd value 1-1 a 1',
      'set value a',
    ]) {
      client.say('del value twin')
      client.say(line)
      expect(client.say('copy value twin')).toBe(1)
      expect(client.say('copy value twin')).toBe(0)
      expect(client.say('type twin')).toBe(client.say('type value'))
      client.say('del value')
      expect(client.say('exists twin')).toBe(1)
    }
    expect(client.say('copy twin twin')).toEqual({ error: 'ERR source and destination objects are the same' })
    expect(client.say('copy twin twin db 1')).toBe(1)
    expect(client.say('copy twin twin db 16')).toEqual({ error: 'ERR DB index is out of range' })
  })

  test('MOVE goes where nothing is', () => {
    const { service, client } = start()
    client.say('set key value px 500')
    expect(client.say('move key 1')).toBe(1)
    expect(client.say('exists key')).toBe(0)
    const other = service.client()
    other.db = service.databases[1]!
    expect(other.say('pttl key')).toBe(500)
    client.say('set key again')
    expect(client.say('move key 1')).toBe(0)
    expect(client.say('move key 0')).toEqual({ error: 'ERR source and destination objects are the same' })
  })
})

describe('all keys', () => {
  test('SCAN tells those that stay, of a type and by a pattern', () => {
    const { client } = start()
    for (let at = 0; at < 500; at++) client.run('set', `key:${at}`, at)
    for (let at = 0; at < 20; at++) client.run('rpush', `list:${at}`, at)
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const [next, keys] = client.run('scan', cursor, 'count', 13, 'type', 'string', 'match', 'key:*') as [
        string,
        string[],
      ]
      for (const key of keys) seen.add(key)
      cursor = next
    } while (cursor !== '0')
    expect(seen.size).toBe(500)
    expect(client.say('scan 0 count 1000 type list')).toEqual(['0', expect.any(Array)])
    expect((client.say('keys list:1?') as string[]).toSorted()).toEqual(
      Array.from({ length: 10 }, (_, at) => `list:1${at}`),
    )
    expect(client.say('scan x')).toEqual({ error: 'ERR invalid cursor' })
    expect(client.say('scan 18446744073709551615')).toEqual(['0', []])
  })

  test('RANDOMKEY tells each sooner or later', () => {
    const { client } = start()
    expect(client.say('randomkey')).toBe(null)
    client.say('mset a 1 b 2 c 3')
    const seen = new Set(Array.from({ length: 200 }, () => client.say('randomkey')))
    expect([...seen].toSorted()).toEqual(['a', 'b', 'c'])
  })
})

describe('SORT', () => {
  test('by numbers, texts, other keys and fields of hashes', () => {
    const { client } = start()
    client.say('rpush list 3 10 2')
    client.say('mset w_3 1 w_10 3 w_2 2 n_3 three')
    client.say('hset o_3 w b')
    client.say('hset o_10 w a')
    expect(client.say('sort list')).toEqual(['2', '3', '10'])
    expect(client.say('sort list desc limit 0 2')).toEqual(['10', '3'])
    expect(client.say('sort list alpha')).toEqual(['10', '2', '3'])
    expect(client.say('sort list by w_* get # get n_*')).toEqual(['3', 'three', '2', null, '10', null])
    expect(client.say('sort list by o_*->w alpha')).toEqual(['2', '10', '3'])
    expect(client.say('sort list by nosort desc')).toEqual(['2', '10', '3'])
  })

  test('stores a list, or takes away what was there', () => {
    const { client } = start()
    client.say('sadd set c a b')
    expect(client.say('sort set by nosort store result')).toBe(3)
    expect(client.say('lrange result 0 -1')).toEqual(['a', 'b', 'c'])
    expect(client.say('sort none store result')).toBe(0)
    expect(client.say('exists result')).toBe(0)
    expect(client.say('sort set')).toEqual({ error: "ERR One or more scores can't be converted into double" })
    expect(client.say('sort_ro set alpha store result')).toEqual({ error: 'ERR syntax error' })
  })
})

test('OBJECT tells the forms that Redis would have', () => {
  const { client } = start()
  client.run('mset', 'number', 1, 'short', 'a'.repeat(44), 'long', 'a'.repeat(45))
  client.say('append number 2')
  client.say('set whole 12')
  client.say('incrbyfloat sum 3')
  const encodings = ['number', 'short', 'long', 'whole', 'sum', 'none'].map((key) =>
    client.say(`object encoding ${key}`),
  )
  expect(encodings).toEqual(['raw', 'embstr', 'raw', 'int', 'embstr', null])
})
