import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { type TestClient, TestService } from '../testing.ts'
import { loggedBy } from '../testing-log.ts'

/** Commands on strings, bitmaps, lists, hashes and keys, of which another server could not repeat all as they were given. */
function someCommand(random: () => number): string {
  const below = (count: number) => Math.floor(random() * count)
  const pick = (words: readonly string[]) => words[below(words.length)]!
  const key = () => pick(['a', 'b', 'c', 'd'])
  const field = () => pick(['f', 'g', 'h'])
  const ms = () => 1 + below(400)
  const end = () => pick(['left', 'right'])
  return pick([
    `set ${key()} ${below(9)}`,
    `set ${key()} ${below(9)} px ${ms()}`,
    `set ${key()} ${below(9)} ${pick(['nx', 'xx', 'get', 'keepttl'])}`,
    `psetex ${key()} ${ms()} ${below(9)}`,
    `getex ${key()} px ${ms()}`,
    `getex ${key()} persist`,
    `getdel ${key()}`,
    `incrby ${key()} ${below(9)}`,
    `incrbyfloat ${key()} 0.1`,
    `append ${key()} x`,
    `setrange ${key()} 3 y`,
    `setbit ${key()} ${below(50)} 1`,
    `bitfield ${key()} incrby u4 ${below(9)} 7`,
    `rpush ${key()} ${below(9)} ${below(9)}`,
    `lpop ${key()} 1`,
    `lmpop 2 ${key()} ${key()} ${end()} count 2`,
    `blpop ${key()} ${key()} 0.001`,
    `blmpop 0.001 1 ${key()} ${end()}`,
    `blmove ${key()} ${key()} ${end()} ${end()} 0.001`,
    `hset ${key()} ${field()} ${below(9)}`,
    `hincrbyfloat ${key()} ${field()} 0.5`,
    `hpexpire ${key()} ${ms()} fields 2 ${field()} ${field()}`,
    `hpersist ${key()} fields 1 ${field()}`,
    `hlen ${key()}`,
    `pexpire ${key()} ${ms()} ${pick(['nx', 'xx', 'gt', 'lt'])}`,
    `pexpire ${key()} ${ms()}`,
    `pexpireat ${key()} 1`,
    `persist ${key()}`,
    `rename ${key()} ${key()}`,
    `copy ${key()} ${key()} replace`,
    `sort ${key()} alpha store ${key()}`,
    `del ${key()}`,
  ])
}

function stateOf(client: TestClient): unknown {
  return (client.say('keys *') as string[]).toSorted().map((key) => {
    const type = client.say(`type ${key}`) as string
    const read = { string: 'get', list: 'lrange', hash: 'hgetall' }[type]!
    const value = client.say(type === 'list' ? `lrange ${key} 0 -1` : `${read} ${key}`)
    const expiries = type === 'hash' ? client.say(`hpexpiretime ${key} fields 3 f g h`) : undefined
    return { key, value, expiries, expiresAtMs: client.say(`pexpiretime ${key}`) }
  })
}

test('what the log is told makes another server the same, however late it is read', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const service = new TestService(undefined, random)
    const client = service.client()
    const logged = loggedBy(service)
    const given: string[] = []
    for (let step = 0; step < 300; step++) {
      const line = someCommand(random)
      given.push(line)
      client.say(line)
      service.time.pass(10)
    }
    const late = random() < 0.5 ? 0 : 100_000
    service.time.pass(late)
    const twin = new TestService()
    twin.time.pass(300 * 10 + late)
    const replayer = twin.client()
    twin.time.hold()
    for (const words of logged) replayer.run(...words)
    twin.time.release()
    expect(stateOf(replayer), `seed ${seed}:\n${given.join('\n')}`).toEqual(stateOf(client))
  }
})
