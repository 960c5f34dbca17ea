import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { type Answer, type TestClient, TestService } from '../testing.ts'
import { loggedBy } from '../testing-log.ts'

/** Commands on sets, sorted sets and streams whose outcome another server, with other chance, time or blocks, could not repeat as they were given. */
function someCommand(random: () => number, step: number): string {
  const below = (count: number) => Math.floor(random() * count)
  const pick = (words: readonly string[]) => words[below(words.length)]!
  const id = () => `${Math.max(1, step - below(60))}-${below(3)}`
  const group = pick(['g', 'h'])
  const consumer = pick(['a', 'b', 'c'])
  return pick([
    `sadd s ${below(30)} m${below(30)}`,
    `spop s ${below(3)}`,
    'spop s',
    'smove s t 1',
    `zadd z ${below(9)} m${below(20)} incr`.replace(/zadd z (\S+) (\S+) incr/, 'zadd z incr $1 $2'),
    `zadd z ${below(9)} m${below(20)} 3 m${below(20)}`,
    `zmpop 2 y z ${pick(['min', 'max'])} count ${1 + below(3)}`,
    'bzpopmin y z 0.01',
    `zrangestore y z 0 ${below(9)}`,
    `xadd x ${step}-* f v${step}`,
    `xadd x maxlen ~ ${10 + below(20)} * f ${step}`.replace('*', `${step}-*`),
    `xadd x minid ~ ${id()} ${step}-* g w`,
    `xtrim x maxlen ~ ${10 + below(30)} limit ${below(9)}`,
    `xdel x ${id()}`,
    `xgroup create x ${group} ${pick(['$', '0'])}`,
    `xreadgroup group ${group} ${consumer} count ${1 + below(4)} streams x >`,
    `xreadgroup group ${group} ${consumer} count ${1 + below(4)} streams x >`,
    `xreadgroup group ${group} ${consumer} noack count 1 streams x >`,
    `xack x ${group} ${id()} ${id()} ${id()}`,
    `xclaim x ${group} ${consumer} ${below(30)} ${id()} ${id()} ${pick(['', 'force', 'justid', `lastid ${id()}`])}`.trim(),
    `xautoclaim x ${group} ${consumer} ${below(30)} ${id()} count ${1 + below(5)}`,
    `xgroup setid x ${group} ${id()}`,
    `xgroup delconsumer x ${group} ${pick(['a', 'nobody'])}`,
  ])
}

/** All that can be asked of it. When a consumer was last heard of is not kept by the log. */
function stateOf(client: TestClient): unknown {
  const withoutTimes = (answer: Answer | undefined): unknown =>
    JSON.parse(JSON.stringify(answer ?? null).replaceAll(/"seen-time",\d+/g, '"seen-time",0'))
  const numbers = ['radix-tree-keys', 'radix-tree-nodes']
  const info = withoutTimes(client.say('xinfo stream x full count 0'))
  const stream = Array.isArray(info) ? info.filter((_, at) => !numbers.includes(info[at - 1])) : info
  const sets = ['s', 't'].map((key) => (client.say(`smembers ${key}`) as string[]).toSorted())
  return { sets, sorted: ['y', 'z'].map((key) => client.say(`zrange ${key} 0 -1 withscores`)), stream }
}

test('what the log is told makes another server the same', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seededRandom(seed)
    const service = new TestService(undefined, random)
    const client = service.client()
    client.db.limits.streamNodeMaxEntries = 4
    const logged = loggedBy(service)
    const given: string[] = []
    for (let step = 1; step <= 400; step++) {
      const line = someCommand(random, step)
      given.push(line)
      client.say(line)
      service.time.pass(10)
    }
    const twin = new TestService(undefined, seededRandom(seed + 1000))
    twin.time.pass(400 * 10)
    const replayer = twin.client()
    replayer.db.limits.streamNodeMaxEntries = 7
    const refused = logged.filter((words) => JSON.stringify(replayer.run(...words)).startsWith('{"error"'))
    expect(refused, `seed ${seed}`).toEqual([])
    expect(stateOf(replayer), `seed ${seed}:\n${given.join('\n')}`).toEqual(stateOf(client))
  }
})
