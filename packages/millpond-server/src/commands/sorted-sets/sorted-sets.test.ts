import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { type Answer, TestService } from '../testing.ts'
import { loggedBy } from '../testing-log.ts'

function start() {
  const service = new TestService(undefined, seededRandom(1))
  const client = service.client()
  const other = service.client()
  return { service, client, other, say: (line: string): Answer | undefined => client.say(line) }
}

describe('adding', () => {
  test('tells what is new, or with CH what is different', () => {
    const { say } = start()
    expect([say('zadd z 1 a 2 b'), say('zadd z 1 a 3 b 4 c'), say('zadd z ch 1 a 5 b 6 d')]).toEqual([2, 1, 2])
    expect(say('zrange z 0 -1 withscores')).toEqual(['a', 1, 'c', 4, 'b', 5, 'd', 6])
    expect([say('zadd z incr 2.5 a'), say('zincrby z -1 a'), say('zincrby z 1 new')]).toEqual([3.5, 2.5, 1])
  })

  test('is bound to conditions', () => {
    const { say } = start()
    say('zadd z 5 a')
    expect([say('zadd z nx 9 a 1 b'), say('zadd z xx ch 6 a 1 c'), say('zadd z xx 1 none')]).toEqual([1, 1, 0])
    expect([say('zadd z gt ch 5 a'), say('zadd z gt ch 7 a'), say('zadd z lt ch 8 a 0 e')]).toEqual([0, 1, 1])
    expect([say('zadd z nx incr 1 a'), say('zadd z gt incr -1 a'), say('zscore z a')]).toEqual([null, null, 7])
    expect([say('zadd none xx 1 a'), say('exists none')]).toEqual([0, 0])
  })

  test('changes nothing when any of it cannot be meant', () => {
    const { say } = start()
    for (const [line, error] of [
      ['zadd z 1 a 2', 'syntax error'],
      ['zadd z nx xx 1 a', 'XX and NX options at the same time are not compatible'],
      ['zadd z gt lt 1 a', 'GT, LT, and/or NX options at the same time are not compatible'],
      ['zadd z incr 1 a 2 b', 'INCR option supports a single increment-element pair'],
      ['zadd z 1 a x b', 'value is not a valid float'],
      ['zadd z nan a', 'value is not a valid float'],
    ]) {
      expect(say(line!), line).toEqual({ error: `ERR ${error}` })
    }
    expect(say('exists z')).toBe(0)
    say('zadd z inf a')
    expect(say('zincrby z -inf a')).toEqual({ error: 'ERR resulting score is not a number (NaN)' })
    expect(say('zscore z a')).toBe(Infinity)
  })
})

describe('ranges', () => {
  test('by rank, score and member, in both directions, in part', () => {
    const { say } = start()
    say('zadd z 1 a 2 b 2 c 3 d inf e')
    expect([say('zrange z 1 -2'), say('zrevrange z 0 1'), say('zrange z 0 1 rev')]).toEqual([
      ['b', 'c', 'd'],
      ['e', 'd'],
      ['e', 'd'],
    ])
    expect(say('zrangebyscore z (1 2 withscores')).toEqual(['b', 2, 'c', 2])
    expect(say('zrevrangebyscore z +inf (2 limit 1 5')).toEqual(['d'])
    expect(say('zrange z 3 -inf byscore rev limit 1 2')).toEqual(['c', 'b'])
    expect([say('zcount z 2 (3'), say('zcount z 3 2'), say('zrange z 5 9'), say('zrange z 2 1')]).toEqual([
      2,
      0,
      [],
      [],
    ])
    say('zadd l 0 a 0 b 0 c 0 d')
    expect([say('zrangebylex l [b +'), say('zrevrangebylex l (d -'), say('zlexcount l (a (d')]).toEqual([
      ['b', 'c', 'd'],
      ['c', 'b', 'a'],
      2,
    ])
    expect([say('zrangestore t z 1 3 byscore'), say('zrange t 0 -1'), say('zrangestore t none 0 1')]).toEqual([
      4,
      ['a', 'b', 'c', 'd'],
      0,
    ])
    expect(say('exists t')).toBe(0)
  })

  test('are removed, and an empty set is no key', () => {
    const { say } = start()
    say('zadd z 1 a 2 b 3 c 4 d 5 e 6 f')
    expect([say('zremrangebyrank z 0 1'), say('zremrangebyscore z (3 4'), say('zremrangebylex z [e [e')]).toEqual([
      2, 1, 1,
    ])
    expect(say('zrange z 0 -1')).toEqual(['c', 'f'])
    expect([say('zrem z c f g'), say('exists z'), say('zremrangebyrank z 0 -1')]).toEqual([2, 0, 0])
  })

  test('what cannot be meant is refused', () => {
    const { say } = start()
    expect(say('zrangebyscore z 1 x')).toEqual({ error: 'ERR min or max is not a float' })
    expect(say('zrangebylex z a b')).toEqual({ error: 'ERR min or max not valid string range item' })
    expect(say('zrange z 0 1 limit 0 1')).toMatchObject({ error: expect.stringContaining('LIMIT is only supported') })
    expect(say('zrange z - + bylex withscores')).toMatchObject({
      error: expect.stringContaining('WITHSCORES not supported'),
    })
  })
})

test('ranks count from either end, with the score if asked', () => {
  const { say } = start()
  say('zadd z 1 a 2 b 3 c')
  expect([say('zrank z c'), say('zrevrank z c'), say('zrank z x'), say('zrank none x')]).toEqual([2, 0, null, null])
  expect([say('zrank z b withscore'), say('zrevrank z x withscore')]).toEqual([[1, 2], null])
  expect(say('zmscore z a x c')).toEqual([1, null, 3])
})

describe('together', () => {
  test('scores are weighed and put together; members of sets have a score of 1', () => {
    const { say } = start()
    say('zadd a 1 x 2 y')
    say('zadd b 10 y 20 z')
    say('sadd s y')
    expect(say('zunion 2 a b weights 2 1 withscores')).toEqual(['x', 2, 'y', 14, 'z', 20])
    expect(say('zinter 3 a b s aggregate max withscores')).toEqual(['y', 10])
    expect([say('zdiff 2 a s withscores'), say('zdiffstore d 2 a b'), say('zintercard 2 a b')]).toEqual([
      ['x', 1],
      1,
      1,
    ])
    expect([say('zunionstore d 1 a weights inf aggregate min'), say('zscore d x')]).toEqual([2, Infinity])
    expect([say('zinterstore d 2 a none'), say('exists d')]).toEqual([0, 0])
    expect(say('zunion 0 a')).toEqual({ error: "ERR at least 1 input key is needed for 'zunion' command" })
    expect(say('zunion 1 a weights x')).toEqual({ error: 'ERR weight value is not a float' })
    expect(say('zunion 3 a b')).toEqual({ error: 'ERR syntax error' })
  })

  test('infinity less infinity is 0', () => {
    const { say } = start()
    say('zadd a inf x')
    say('zadd b -inf x')
    expect(say('zunion 2 a b withscores')).toEqual(['x', 0])
    expect(say('zunion 1 a weights 0 withscores')).toEqual(['x', 0])
  })
})

describe('popping', () => {
  test('takes from either end', () => {
    const { client, say } = start()
    say('zadd z 1 a 2 b 3 c 4 d')
    expect([say('zpopmin z'), say('zpopmax z 2'), say('zmpop 2 none z max count 9')]).toEqual([
      ['a', 1],
      ['d', 4, 'c', 3],
      ['z', [['b', 2]]],
    ])
    expect([say('exists z'), say('zpopmin z'), say('zmpop 1 z min')]).toEqual([0, [], null])
    client.protocol = 3
    say('zadd z 1 a 2 b')
    expect([say('zpopmin z'), say('zpopmin z 1')]).toEqual([['a', 1], [['b', 2]]])
  })

  test('waits, is served in order, and tells the log what it did', () => {
    const { service, client, other, say } = start()
    const logged = loggedBy(service)
    expect(say('bzpopmin one two 0')).toBeUndefined()
    other.say('set one x')
    other.say('del one')
    other.say('zadd two 5 m 6 n')
    expect(client.answer).toEqual(['two', 'm', 5])
    expect(say('bzmpop 1 1 none max')).toBeUndefined()
    service.time.pass(1000)
    expect(client.answer).toBeNull()
    expect(say('bzmpop 0 2 none two max count 3')).toEqual(['two', [['n', 6]]])
    expect(logged.slice(-3)).toEqual([
      ['zadd', 'two', '5', 'm', '6', 'n'],
      ['ZPOPMIN', 'two'],
      ['ZPOPMAX', 'two', '1'],
    ])
    expect(say('bzpopmin one two 0')).toBeUndefined()
    other.say('set one x')
    other.say('zadd two 7 k')
    expect(client.answer).toEqual(['two', 'k', 7])
    expect(say('bzpopmin one -1')).toEqual({ error: 'ERR timeout is negative' })
    expect(say('bzpopmin one x')).toEqual({ error: 'ERR timeout is not a float or out of range' })
  })
})

test('ZRANDMEMBER draws with and without repeats', () => {
  const { say } = start()
  say('zadd z 1 a 2 b 3 c')
  expect(['a', 'b', 'c']).toContain(say('zrandmember z'))
  const two = say('zrandmember z 2 withscores') as Answer[]
  expect(two).toHaveLength(4)
  expect(two[0]).not.toBe(two[2])
  expect(say('zrandmember z -5 withscores')).toHaveLength(10)
  expect([say('zrandmember none'), say('zrandmember none 2')]).toEqual([null, []])
})
