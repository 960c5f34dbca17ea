import { describe, expect, test } from 'vitest'
import { TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  return { service, client: service.client(), other: service.client() }
}

describe('lists', () => {
  test('what becomes empty is gone, and is told', () => {
    const { service, client } = start()
    const events = service.events()
    client.say('rpush list a b')
    expect(client.say('lpop list 5')).toEqual(['a', 'b'])
    expect(client.say('exists list')).toBe(0)
    expect(events).toEqual(['rpush list', 'lpop list', 'del list'])
  })

  test('pops tell apart what is not there, and nothing taken', () => {
    const { client } = start()
    expect(client.say('lpop list')).toBe(null)
    expect(client.say('lpop list 1')).toBe(null)
    client.say('rpush list a b c')
    expect(client.say('lpop list 0')).toEqual([])
    expect(client.say('rpop list 2')).toEqual(['c', 'b'])
    expect(client.say('rpop list -1')).toEqual({ error: 'ERR value is out of range, must be positive' })
  })

  test('a list is turned by moving within it', () => {
    const { client, service } = start()
    const events = service.events()
    client.say('rpush list a b c')
    expect(client.say('lmove list list left right')).toBe('a')
    expect(client.say('lrange list 0 -1')).toEqual(['b', 'c', 'a'])
    client.say('rpush single x')
    expect(client.say('rpoplpush single single')).toBe('x')
    expect(client.say('lrange single 0 -1')).toEqual(['x'])
    expect(events).not.toContain('del single')
  })

  test('nothing is moved to what is no list', () => {
    const { client } = start()
    client.say('rpush list a')
    client.say('set key value')
    expect(client.say('lmove list key left left')).toEqual({ error: expect.stringContaining('WRONGTYPE') })
    expect(client.say('llen list')).toBe(1)
  })

  test('LPOS counts from either end', () => {
    const { client } = start()
    client.say('rpush list a b c a b c a')
    expect(client.say('lpos list a')).toBe(0)
    expect(client.say('lpos list a rank -1')).toBe(6)
    expect(client.say('lpos list a rank 2 count 0')).toEqual([3, 6])
    expect(client.say('lpos list a rank -2 count 2')).toEqual([3, 0])
    expect(client.say('lpos list a rank 2 maxlen 3')).toBe(null)
    expect(client.say('lpos list x count 1')).toEqual([])
  })
})

describe('waiting', () => {
  test('who came first is served first, and the log is told of a pop', () => {
    const { service, client, other } = start()
    const third = service.client()
    const log = service.logLines()
    expect(client.say('blpop list other 0')).toBeUndefined()
    expect(other.say('brpop list 0')).toBeUndefined()
    expect(third.say('rpush list a b c')).toBe(3)
    expect([client.answer, other.answer]).toEqual([
      ['list', 'a'],
      ['list', 'c'],
    ])
    expect(third.say('lrange list 0 -1')).toEqual(['b'])
    expect(log).toEqual(['rpush list a b c', 'lpop list', 'rpop list'])
  })

  test('an element goes through a chain of moves', () => {
    const { service, client, other } = start()
    client.say('blmove one two right left 0')
    other.say('brpoplpush two three 0')
    service.client().say('lpush one x')
    expect([client.answer, other.answer]).toEqual(['x', 'x'])
    expect(service.client().say('lrange three 0 -1')).toEqual(['x'])
    expect(service.client().say('exists one two')).toBe(0)
  })

  test('ends with its time', () => {
    const { service, client, other } = start()
    client.say('blpop list 0.5')
    other.say('blmove list list left left 1')
    service.time.pass(500)
    expect([client.answer, other.answer]).toEqual([null, undefined])
    service.time.pass(500)
    expect(other.answer).toBe(null)
    expect(service.waiters.count).toBe(0)
  })

  test('nobody waits in a transaction', () => {
    const { client } = start()
    client.say('multi')
    client.say('blpop list 0')
    client.say('blmove list list left left 0')
    client.say('blmpop 0 1 list left')
    expect(client.say('exec')).toEqual([null, null, null])
  })

  test('BLMPOP takes as many as there are, and the log is told how many', () => {
    const { service, client, other } = start()
    const log = service.logLines()
    client.say('blmpop 0 2 one two right count 10')
    other.say('rpush two a b')
    expect(client.answer).toEqual(['two', ['b', 'a']])
    expect(log).toEqual(['rpush two a b', 'rpop two 2'])
  })

  test.each([
    ['blpop list -1', 'timeout is negative'],
    ['blpop list a', 'timeout is not a float or out of range'],
    ['blmove a b left up 0', 'syntax error'],
    ['blmpop 0 0 list left', 'numkeys should be greater than 0'],
    ['blmpop 0 1 list left count 0', 'count should be greater than 0'],
  ])('%s is refused', (line, error) => {
    expect(start().client.say(line)).toEqual({ error: `ERR ${error}` })
  })
})
