import { describe, expect, test } from 'vitest'
import { Arguments } from '../../engine/arguments.ts'
import { execute } from '../executor.ts'
import { TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  return { service, client: service.client(), log: service.logLines() }
}

describe('hashes', () => {
  test('fields come in the order in which they were added', () => {
    const { client } = start()
    expect(client.say('hset key b 1 a 2')).toBe(2)
    expect(client.say('hset key a 3 c 4')).toBe(1)
    expect(client.say('hgetall key')).toEqual(['b', '1', 'a', '3', 'c', '4'])
    expect(client.say('hdel key b x')).toBe(1)
    expect(client.say('hkeys key')).toEqual(['a', 'c'])
    expect(client.say('hmget key c x')).toEqual(['4', null])
    expect(client.say('hdel key a c')).toBe(2)
    expect(client.say('exists key')).toBe(0)
  })

  test('HRANDFIELD gives different fields, or any, with their values', () => {
    const { client } = start()
    for (let at = 0; at < 20; at++) client.run('hset', 'key', `f${at}`, at)
    const different = client.say('hrandfield key 10') as string[]
    expect(new Set(different).size).toBe(10)
    expect(client.say('hrandfield key -50')).toHaveLength(50)
    expect(client.say('hrandfield key 100')).toHaveLength(20)
    const flat = client.say('hrandfield key 3 withvalues') as string[]
    expect(flat).toHaveLength(6)
    expect(flat[0]).toBe(`f${flat[1]}`)
    client.protocol = 3
    for (const [field, value] of client.say('hrandfield key 3 withvalues') as [string, string][]) {
      expect(field).toBe(`f${value}`)
    }
  })

  test('HRANDFIELD has a bound where fields may come again', () => {
    const { client } = start()
    client.say('hset key a 1')
    expect(client.say('hrandfield key -1048577')).toEqual({ error: 'ERR value is out of range' })
    expect(client.say('hrandfield key 9223372036854775807')).toEqual(['a'])
  })

  test('HSCAN with NOVALUES tells fields alone', () => {
    const client = new TestService().client()
    client.say('hset key a 1 b 2')
    expect(client.say('hscan key 0 novalues match a count 5')).toEqual(['0', ['a']])
    expect(client.say('hscan key 0')).toEqual(['0', ['a', '1', 'b', '2']])
    expect(client.say('sscan key 0 novalues')).toMatchObject({ error: expect.any(String) })
  })

  test('HSCAN misses no field of a large hash while others come and go', () => {
    const { client } = start()
    for (let at = 0; at < 1000; at++) client.run('hset', 'key', `f${at}`, at)
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const [next, found] = client.run('hscan', 'key', cursor, 'count', 7) as [string, string[]]
      for (let at = 0; at < found.length; at += 2) seen.add(found[at]!)
      client.run('hdel', 'key', `f${900 + (Number(next) % 100)}`)
      client.run('hset', 'key', `g${next}`, 1)
      cursor = next
    } while (cursor !== '0')
    expect(Array.from({ length: 900 }, (_, at) => `f${at}`).filter((field) => !seen.has(field))).toEqual([])
  })

  test('numbers', () => {
    const { client, log } = start()
    expect(client.say('hincrby key n 5')).toBe(5)
    expect(client.say('hincrbyfloat key n 0.1')).toBe('5.1')
    expect(client.say('hincrby key n 1')).toEqual({ error: 'ERR hash value is not an integer' })
    expect(client.say('hincrbyfloat key n inf')).toEqual({ error: 'ERR value is NaN or Infinity' })
    client.say('hset key n 9223372036854775807')
    expect(client.say('hincrby key n 1')).toEqual({ error: 'ERR increment or decrement would overflow' })
    expect(log.slice(0, 2)).toEqual(['hincrby key n 5', 'HSET key n 5.1'])
  })
})

describe('fields that expire', () => {
  test('are not seen any more, and the log is told when they are met', () => {
    const { service, client, log } = start()
    client.say('hset key a 1 b 2 c 3')
    const now = service.time.nowMs
    expect(client.say('hpexpire key 100 fields 2 a x')).toEqual([1, -2])
    expect(client.say('hpttl key fields 3 a b x')).toEqual([100, -1, -2])
    expect(client.say('hpexpiretime key fields 1 a')).toEqual([now + 100])
    service.time.pass(100)
    expect(client.say('hget key a')).toBe(null)
    expect(client.say('hlen key')).toBe(2)
    expect(log).toEqual(['hset key a 1 b 2 c 3', `HPEXPIREAT key ${now + 100} FIELDS 1 a`, 'HDEL key a'])
  })

  test('the last one takes the key with it', () => {
    const { service, client } = start()
    const events = service.events()
    client.say('hset key a 1')
    expect(client.say('hexpire key 1 fields 1 a')).toEqual([1])
    service.time.pass(1000)
    expect(client.say('hgetall key')).toEqual([])
    expect(client.say('exists key')).toBe(0)
    expect(events).toEqual(['hset key', 'hexpire key', 'hexpired key', 'del key'])
    expect(client.say('hset key b 2')).toBe(1)
    expect(client.say('hkeys key')).toEqual(['b'])
  })

  test('leave although nobody looks, a few at a time, and the last one takes the key with it', () => {
    const { service, client, log } = start()
    const events = service.events()
    const fields = Array.from({ length: 1000 }, (_, at) => `f${at}`)
    client.run('hset', 'many', ...fields.flatMap((field) => [field, 'value']))
    client.say('hset few a 1 b 2')
    client.run('hpexpire', 'many', 100, 'fields', 1000, ...fields)
    client.say('hpexpire few 100 fields 1 a')
    client.say('rename few other')
    log.length = events.length = 0
    service.cache.start()
    service.time.pass(99)
    expect(log).toEqual([])
    service.time.pass(101)
    for (let turn = 0; turn < 100 && events.length < 3; turn++) service.time.pass(2)
    service.cache.stop()
    expect(client.say('exists many')).toBe(0)
    expect(client.say('hgetall other')).toEqual(['b', '2'])
    const gone = log.filter((line) => line.startsWith('HDEL many ')).map((line) => line.split(' ').slice(2))
    expect(Math.max(...gone.map(({ length }) => length))).toBeLessThan(300)
    expect(gone.flat().toSorted()).toEqual(fields.toSorted())
    expect(log).toContain('HDEL other a')
    expect(events.filter((event) => event === 'del many')).toHaveLength(1)
  })

  test('any number of fields at once', () => {
    const { service, client, log } = start()
    const fields = Array.from({ length: 150_000 }, (_, at) => `${at}`)
    const say = (words: string[]) => execute(client, Arguments.of(words), client.reply)
    say(['hset', 'many', ...fields.flatMap((field) => [field, ''])])
    say(['hpexpire', 'many', '100', 'fields', String(fields.length), ...fields])
    expect(log.at(-1)!.split(' ')).toHaveLength(fields.length + 5)
    service.time.pass(100)
    expect(client.say('hlen many')).toBe(0)
    expect(log.at(-1)!.split(' ')).toHaveLength(fields.length + 2)
  })

  test('a moment that is over removes at once', () => {
    const { client, log } = start()
    client.say('hset key a 1 b 2')
    expect(client.say('hpexpireat key 1 fields 1 a')).toEqual([2])
    expect(client.say('hexpire key 0 fields 1 x')).toEqual([-2])
    expect(client.say('hkeys key')).toEqual(['b'])
    expect(log.at(-1)).toBe('HDEL key a')
  })

  test('NX, XX, GT and LT ask what is so already', () => {
    const { client } = start()
    client.say('hset key a 1')
    expect(client.say('hexpire key 10 xx fields 1 a')).toEqual([0])
    expect(client.say('hexpire key 10 gt fields 1 a')).toEqual([0])
    expect(client.say('hexpire key 10 lt fields 1 a')).toEqual([1])
    expect(client.say('hexpire key 20 nx fields 1 a')).toEqual([0])
    expect(client.say('hexpire key 20 gt fields 1 a')).toEqual([1])
    expect(client.say('httl key fields 1 a')).toEqual([20])
    expect(client.say('hpersist key fields 2 a x')).toEqual([1, -2])
    expect(client.say('hpersist key fields 1 a')).toEqual([-1])
  })

  test('live for ever again when they are set, not when they are changed', () => {
    const { client, service, log } = start()
    client.say('hset key a 1')
    client.say('hexpire key 10 fields 1 a')
    client.say('hincrby key a 1')
    client.say('hincrbyfloat key a 0.5')
    expect(client.say('httl key fields 1 a')).toEqual([10])
    expect(log.slice(-2)).toEqual(['HSET key a 2.5', `HPEXPIREAT key ${service.time.nowMs + 10_000} FIELDS 1 a`])
    client.say('copy key twin')
    client.say('hset key a 1')
    expect(client.say('httl key fields 1 a')).toEqual([-1])
    expect(client.say('httl twin fields 1 a')).toEqual([10])
  })

  test.each([
    ['hexpire key 10 a b c', 'Mandatory argument FIELDS is missing or not at the right position'],
    ['hexpire key 10 fields 0 a', 'Number of fields must be a positive integer'],
    ['hexpire key 10 fields 2 a', 'The `numfields` parameter must match the number of arguments'],
    ['hexpire key -1 fields 1 a', 'invalid expire time, must be >= 0'],
    ['hexpire key 9223372036854775 fields 1 a', "invalid expire time in 'hexpire' command"],
    ['hexpire key a fields 1 a', 'value is not an integer or out of range'],
  ])('%s is refused', (line, error) => {
    expect(start().client.say(line)).toEqual({ error: `ERR ${error}` })
  })
})
