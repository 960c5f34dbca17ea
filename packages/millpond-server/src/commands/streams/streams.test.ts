import { describe, expect, test } from 'vitest'
import { type Answer, TestService } from '../testing.ts'
import { loggedBy } from '../testing-log.ts'

function start() {
  const service = new TestService()
  const client = service.client()
  const other = service.client()
  return { service, client, other, say: (line: string): Answer | undefined => client.say(line) }
}

const NOW = 1_700_000_000_000

describe('adding', () => {
  test('gives ids that only rise', () => {
    const { service, say } = start()
    expect([say('xadd s * f v'), say('xadd s * f v')]).toEqual([`${NOW}-0`, `${NOW}-1`])
    service.time.pass(5)
    expect([say('xadd s * f v'), say(`xadd s ${NOW + 5}-* f v`)]).toEqual([`${NOW + 5}-0`, `${NOW + 5}-1`])
    const tooLow = { error: 'ERR The ID specified in XADD is equal or smaller than the target stream top item' }
    expect([say(`xadd s ${NOW + 5}-1 f v`), say('xadd s 5-* f v')]).toEqual([tooLow, tooLow])
    expect(say('xadd new 0-0 f v')).toEqual({ error: 'ERR The ID specified in XADD must be greater than 0-0' })
    expect(say('xadd new 1-1 f')).toEqual({ error: "ERR wrong number of arguments for 'xadd' command" })
    expect([say('xadd new nomkstream * f v'), say('exists new')]).toEqual([null, 0])
    say('xadd end 18446744073709551615-18446744073709551615 f v')
    expect(say('xadd end * f v')).toMatchObject({ error: expect.stringContaining('exhausted the last possible ID') })
  })

  test('cuts what is too much, and the log is told what was done', () => {
    const { service, client, say } = start()
    const logged = loggedBy(service)
    client.db.limits.streamNodeMaxEntries = 2
    for (let at = 1; at <= 6; at++) say(`xadd s ${at}-0 f ${at}`)
    expect([say('xadd s maxlen ~ 4 limit 2 * f v'), say('xlen s')]).toEqual([`${NOW}-0`, 5])
    expect(logged.at(-1)).toEqual(['xadd', 's', 'maxlen', '=', '5', `${NOW}-0`, 'f', 'v'])
    expect([say('xtrim s minid ~ 6'), say('xtrim s minid 6'), say('xlen s')]).toEqual([2, 1, 2])
    expect(logged.slice(-2)).toEqual([
      ['xtrim', 's', 'minid', '=', '5-0'],
      ['xtrim', 's', 'minid', '6'],
    ])
    expect(say('xtrim s maxlen 1 limit 1')).toMatchObject({ error: expect.stringContaining('without the special ~') })
    expect(say('xtrim s maxlen 1 minid 1')).toMatchObject({ error: expect.stringContaining('not compatible') })
    expect(say('xtrim s maxlen -1')).toEqual({ error: 'ERR The MAXLEN argument must be >= 0.' })
  })
})

describe('reading', () => {
  test('ranges in both directions, with ends that are not included', () => {
    const { say } = start()
    for (const id of ['1-1', '1-2', '2-0', '3-0']) say(`xadd s ${id} f ${id}`)
    expect(say('xrange s 1-2 2')).toEqual([
      ['1-2', ['f', '1-2']],
      ['2-0', ['f', '2-0']],
    ])
    expect(say('xrange s (1-2 + count 1')).toEqual([['2-0', ['f', '2-0']]])
    expect(say('xrevrange s (3-0 - count 1')).toEqual([['2-0', ['f', '2-0']]])
    expect([say('xrange s - + count 0'), say('xrange none - +')]).toEqual([null, []])
    expect(say('xrange s (18446744073709551615-18446744073709551615 +')).toEqual({
      error: 'ERR invalid start ID for the interval',
    })
    expect(say('xrange s x +')).toEqual({ error: 'ERR Invalid stream ID specified as stream command argument' })
    expect([say('xdel s 1-1 2-0 9-9'), say('xlen s'), say('xdel none 1-1')]).toEqual([2, 2, 0])
  })

  test('XREAD waits for what comes after it began to', () => {
    const { service, client, other, say } = start()
    say('xadd s 1-0 f v')
    expect(say('xread count 5 streams s t 0 0')).toEqual([['s', [['1-0', ['f', 'v']]]]])
    expect([say('xread streams s $'), say('xread block 10 streams s $')]).toEqual([null, undefined])
    other.say('xadd s 2-0 f w')
    expect(client.answer).toEqual([['s', [['2-0', ['f', 'w']]]]])
    expect(say('xread block 10 streams s t $ $')).toBeUndefined()
    other.say('del s')
    other.say('set s text')
    service.time.pass(10)
    expect(client.answer).toBeNull()
    expect(say('xread streams s t 0')).toMatchObject({ error: expect.stringContaining('Unbalanced XREAD') })
    expect(say('xread streams t >')).toMatchObject({ error: expect.stringContaining('only when calling XREADGROUP') })
    client.protocol = 3
    other.say('xadd t 1-0 a b')
    expect(say('xread streams t 0')).toEqual(['t', [['1-0', ['a', 'b']]]])
  })
})

describe('groups', () => {
  function group() {
    const started = start()
    for (const id of ['1-0', '2-0', '3-0']) started.say(`xadd s ${id} f ${id}`)
    started.say('xgroup create s g 0')
    return started
  }

  test('each entry goes to one consumer, and is pending until it is acknowledged', () => {
    const { service, say } = group()
    expect(say('xreadgroup group g a count 2 streams s >')).toEqual([
      [
        's',
        [
          ['1-0', ['f', '1-0']],
          ['2-0', ['f', '2-0']],
        ],
      ],
    ])
    expect(say('xreadgroup group g b streams s >')).toEqual([['s', [['3-0', ['f', '3-0']]]]])
    expect(say('xreadgroup group g b streams s >')).toBeNull()
    expect(say('xpending s g')).toEqual([
      3,
      '1-0',
      '3-0',
      [
        ['a', '2'],
        ['b', '1'],
      ],
    ])
    service.time.pass(50)
    expect(say('xpending s g idle 40 - + 9 b')).toEqual([['3-0', 'b', 50, 1]])
    say('xdel s 1-0')
    expect(say('xreadgroup group g a streams s 0')).toEqual([
      [
        's',
        [
          ['1-0', null],
          ['2-0', ['f', '2-0']],
        ],
      ],
    ])
    expect(say('xpending s g (1 + 9 a')).toEqual([['2-0', 'a', 0, 2]])
    expect([say('xack s g 1-0 2-0 2-0'), say('xack s none 1-0'), say('xgroup delconsumer s g b')]).toEqual([2, 0, 1])
    expect(say('xpending s g')).toEqual([0, null, null, null])
  })

  test('what is pending can be claimed, and what is gone is dropped', () => {
    const { service, say } = group()
    say('xreadgroup group g a streams s >')
    service.time.pass(100)
    expect([say('xclaim s g b 200 1-0'), say('xclaim s g b 100 1-0 justid')]).toEqual([[], ['1-0']])
    say('xdel s 2-0')
    expect(say('xautoclaim s g c 50 - count 2')).toEqual(['0-0', [['3-0', ['f', '3-0']]], ['2-0']])
    expect(say('xpending s g - + 9')).toEqual([
      ['1-0', 'b', 0, 1],
      ['3-0', 'c', 0, 2],
    ])
    expect(say('xclaim s g d 0 3-0 nonsense')).toEqual({ error: "ERR Unrecognized XCLAIM option 'nonsense'" })
    expect(say('xautoclaim s none d 0 0')).toEqual({ error: "NOGROUP No such key 's' or consumer group 'none'" })
  })

  test('who waits is told what comes, or that the group or the stream has gone', () => {
    const { client, other, say } = group()
    say('xgroup setid s g $')
    expect(say('xreadgroup group g a block 0 streams s >')).toBeUndefined()
    other.say('xadd s 4-0 f v')
    expect(client.answer).toEqual([['s', [['4-0', ['f', 'v']]]]])
    say('xreadgroup group g a block 0 streams s >')
    other.say('xgroup destroy s g')
    expect(client.answer).toMatchObject({ error: expect.stringMatching(/^NOGROUP/) })
    other.say('xgroup create s g $')
    say('xreadgroup group g a block 0 streams s >')
    other.say('del s')
    expect(client.answer).toEqual({ error: 'UNBLOCKED the stream key no longer exists' })
  })

  test('the log is told who got what, in a form that gives the same again', () => {
    const { service, say } = group()
    const logged = loggedBy(service)
    say('xreadgroup group g a count 1 streams s >')
    const claim = (consumer: string, id: string, count: string, lastId: string) => [
      'XCLAIM',
      's',
      'g',
      consumer,
      '0',
      id,
      'TIME',
      `${NOW}`,
      'RETRYCOUNT',
      count,
      'FORCE',
      'JUSTID',
      'LASTID',
      lastId,
    ]
    const position = (id: string, read: string) => ['XGROUP', 'SETID', 's', 'g', id, 'ENTRIESREAD', read]
    expect(logged).toEqual([claim('a', '1-0', '1', '1-0'), position('1-0', '1')])
    say('xreadgroup group g b noack count 1 streams s >')
    say('xclaim s g c 0 1-0')
    say('xack s g 1-0')
    expect(logged.slice(2)).toEqual([
      ['XGROUP', 'CREATECONSUMER', 's', 'g', 'b'],
      position('2-0', '2'),
      claim('c', '1-0', '2', '2-0'),
      ['xack', 's', 'g', '1-0'],
    ])
    const twin = start()
    for (const id of ['1-0', '2-0', '3-0']) twin.say(`xadd s ${id} f ${id}`)
    twin.say('xgroup create s g 0')
    for (const words of logged) twin.client.run(...words)
    expect(twin.say('xinfo groups s')).toEqual(say('xinfo groups s'))
  })

  test('what they have read is known while nothing was deleted by name', () => {
    const { say } = group()
    say('xreadgroup group g a count 1 streams s >')
    expect(say('xinfo groups s')).toEqual([
      ['name', 'g', 'consumers', 1, 'pending', 1, 'last-delivered-id', '1-0', 'entries-read', 1, 'lag', 2],
    ])
    say('xdel s 2-0')
    expect((say('xinfo groups s') as Answer[][])[0]!.slice(-4)).toEqual(['entries-read', 1, 'lag', null])
    say('xgroup setid s g 3-0 entriesread 3')
    expect((say('xinfo groups s') as Answer[][])[0]!.slice(-4)).toEqual(['entries-read', 3, 'lag', 0])
    expect(say('xgroup create s g 0')).toEqual({ error: 'BUSYGROUP Consumer Group name already exists' })
    expect(say('xgroup create none g 0')).toMatchObject({ error: expect.stringContaining('requires the key to exist') })
    expect([say('xgroup create none g $ mkstream'), say('xlen none'), say('exists none')]).toEqual(['OK', 0, 1])
  })
})

test('a stream remembers its past, and can be told another', () => {
  const { say } = start()
  for (const id of ['1-0', '2-0']) say(`xadd s ${id} f v`)
  say('xdel s 1-0')
  expect(say('xsetid s 1-0')).toMatchObject({
    error: expect.stringContaining('smaller than the target stream top item'),
  })
  expect(say('xsetid s 9-0 entriesadded 7 maxdeletedid 5-0')).toBe('OK')
  const info = say('xinfo stream s') as Answer[]
  expect(info.slice(0, 2)).toEqual(['length', 1])
  expect(info.slice(6, 14)).toEqual([
    ...['last-generated-id', '9-0', 'max-deleted-entry-id', '5-0', 'entries-added', 7],
    ...['recorded-first-entry-id', '2-0'],
  ])
  expect(say('xinfo stream s full')).toHaveLength(18)
  expect(say('xsetid none 1-0')).toEqual({ error: 'ERR no such key' })
})
