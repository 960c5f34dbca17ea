import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { type Answer, TestService } from '../testing.ts'
import { loggedBy } from '../testing-log.ts'

function start(seed = 1) {
  const service = new TestService(undefined, seededRandom(seed))
  const client = service.client()
  const say = (line: string): Answer | undefined => client.say(line)
  return { service, client, say }
}

const WRONG_TYPE = { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }

describe('members', () => {
  test('are added once, found, and removed; an empty set is no key', () => {
    const { client, say } = start()
    expect(say('sadd s b a b \xff')).toBe(3)
    expect(client.run('SADD', 's', '')).toBe(1)
    expect(client.run('SMISMEMBER', 's', 'a', 'c', '', '\xff')).toEqual([1, 0, 1, 1])
    expect(say('scard s')).toBe(4)
    expect(client.run('SREM', 's', 'a', 'c', 'b', '', '\xff')).toBe(4)
    expect(say('exists s')).toBe(0)
    expect([say('scard s'), say('smembers s'), say('sismember s a'), say('srem s a')]).toEqual([0, [], 0, 0])
  })

  test('move from set to set', () => {
    const { say } = start()
    say('sadd from a b')
    say('sadd to b')
    say('set text x')
    expect([say('smove from to a'), say('smove from to c'), say('smove none text a')]).toEqual([1, 0, 0])
    expect(say('smove from text b')).toEqual(WRONG_TYPE)
    expect(say('smove to to a')).toBe(1)
    expect(say('smove from to b')).toBe(1)
    expect([say('exists from'), say('smembers to')]).toEqual([0, ['b', 'a']])
  })

  test('other types are refused, and stay as they are', () => {
    const { say } = start()
    say('set text x')
    for (const line of [
      'sadd text a',
      'scard text',
      'spop text',
      'sinter text',
      'sscan text 0',
      'sunionstore d text',
    ]) {
      expect(say(line), line).toEqual(WRONG_TYPE)
    }
    expect(say('get text')).toBe('x')
  })
})

describe('sets together', () => {
  test('have in common, apart, or all', () => {
    const { say } = start()
    say('sadd a 1 2 3 4')
    say('sadd b 3 4 5')
    say('sadd c 4')
    expect([say('sinter a b'), say('sinter a b none'), say('sdiff a b c')]).toEqual([['3', '4'], [], ['1', '2']])
    expect(say('sunion b c none')).toEqual(['3', '4', '5'])
    expect([say('sintercard 2 a b'), say('sintercard 2 a b limit 1'), say('sintercard 2 a b limit 0')]).toEqual([
      2, 1, 2,
    ])
    expect([say('sunionstore d a b'), say('scard d'), say('object encoding d')]).toEqual([5, 5, 'intset'])
    expect([say('sinterstore d c none'), say('exists d')]).toEqual([0, 0])
  })

  test('what cannot be meant is refused', () => {
    const { say } = start()
    expect(say('sintercard 0 a')).toEqual({ error: 'ERR numkeys should be greater than 0' })
    expect(say('sintercard 2 a')).toEqual({ error: "ERR Number of keys can't be greater than number of args" })
    expect(say('sintercard 1 a limit -1')).toEqual({ error: "ERR LIMIT can't be negative" })
    expect(say('sintercard 1 a b')).toEqual({ error: 'ERR syntax error' })
  })
})

describe('by chance', () => {
  test('SPOP takes away what it tells, and the log is told which', () => {
    const { service, say } = start()
    const logged = loggedBy(service)
    say('sadd s 1 2 3 4 5')
    const one = say('spop s') as string
    const two = say('spop s 2') as string[]
    const left = say('spop s 9') as string[]
    expect([one, ...two, ...left].toSorted()).toEqual(['1', '2', '3', '4', '5'])
    expect(say('exists s')).toBe(0)
    expect(logged).toEqual([
      ['sadd', 's', '1', '2', '3', '4', '5'],
      ['SREM', 's', one],
      ['SREM', 's', ...two],
      ['DEL', 's'],
    ])
    expect([say('spop s'), say('spop s 0')]).toEqual([null, []])
    expect(say('spop s -1')).toEqual({ error: 'ERR value is out of range, must be positive' })
  })

  test('SPOP takes away more than a call has room for arguments', () => {
    const { service, client, say } = start()
    const logged = loggedBy(service)
    client.run('SADD', 's', ...Array.from({ length: 80_000 }, (_, at) => at))
    client.run('SADD', 's', ...Array.from({ length: 80_000 }, (_, at) => `m${at}`))
    expect(say('spop s 130000')).toHaveLength(130_000)
    expect([say('scard s'), logged.at(-1)!.length]).toEqual([30_000, 130_002])
  })

  test('SRANDMEMBER leaves all as it is; negative counts may repeat', () => {
    const { say } = start()
    say('sadd s a b c')
    expect(['a', 'b', 'c']).toContain(say('srandmember s'))
    expect(new Set(say('srandmember s 2') as string[]).size).toBe(2)
    expect(say('srandmember s 10')).toEqual(['a', 'b', 'c'])
    expect(say('srandmember s -50')).toHaveLength(50)
    expect([say('srandmember none'), say('srandmember none 3'), say('scard s')]).toEqual([null, [], 3])
    expect(say('srandmember s -9223372036854775808')).toEqual({
      error: expect.stringMatching(/^ERR value is out of range/),
    })
  })

  test('SSCAN tells in steps all that stays', () => {
    const { client, say } = start()
    client.run('SADD', 's', ...Array.from({ length: 600 }, (_, at) => `m${at}`))
    const told = new Set<string>()
    let cursor = '0'
    do {
      const [next, members] = say(`sscan s ${cursor} count 50 match m?*`) as [string, string[]]
      for (const member of members) told.add(member)
      cursor = next
      say(`srem s m${cursor}`)
    } while (cursor !== '0')
    expect(told.size).toBeGreaterThan(580)
    expect(say('sscan s x')).toEqual({ error: 'ERR invalid cursor' })
    expect(say('sscan s 0 count 0')).toEqual({ error: 'ERR syntax error' })
    expect(say('sscan none 0 nonsense')).toEqual(['0', []])
  })
})
