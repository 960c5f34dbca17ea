/**
 * Every command of every protocol, by a token of another cache and by tokens of narrower scopes: none gets through. A marker is in all
 * that is somebody else's, and in no call: where it comes back, something leaks.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestClient } from '../../../packages/millpond-server/src/commands/testing.ts'
import { Random } from '../redis/random.ts'
import { type Aim, callOf } from './calls.ts'
import type { Driver, Tried } from './driver.ts'
import { httpDriver } from './http-driver.ts'
import { fill, furnish, KNOWN, Market, SECRET, stateOf, trade } from './market.ts'
import { memcachedDriver } from './memcached-driver.ts'
import { respDriver } from './resp-driver.ts'

const SEED = Number(process.env.MILLPOND_SEED ?? Math.floor(Math.random() * 2 ** 31))
const VARIANTS = Number(process.env.MILLPOND_VARIANTS ?? 2)
/** Until one of them is right. */
const TRIES = 1000
const DRIVERS: readonly Driver[] = [respDriver, memcachedDriver, httpDriver]

/** Narrower ones, and what is tried by them. */
const SCOPES: readonly (readonly [scopes: string, name: string])[] = [
  ['scope keys:readwrite:mine:*', 'topics:none'],
  ['scope keys:readwrite:mine:string scope topics:readwrite:mine*', 'one key'],
  ['scope keys:read:mine:* scope topics:readwrite', 'all topics'],
  ['scope keys:write:mine:* scope topics:read:mine*', 'to write'],
  ['scope topics:read:mine*', 'no keys'],
]

let market: Market

beforeEach(async () => {
  market = await Market.open()
})

afterEach(() => market.close())

/** The calls whose answers have what they must not have. */
function leaks(tried: readonly Tried[]): Tried[] {
  return tried.filter(({ answers }) => answers.includes(SECRET))
}

function faults(): string[] {
  return market.told.filter((line) => line.startsWith('fault') || line.includes(SECRET))
}

describe.each(DRIVERS)('$name', (driver) => {
  test(`a token of another cache sees and changes nothing (seed ${SEED})`, { timeout: 300_000 }, async () => {
    const random = new Random(SEED)
    const bank = market.owner('bank')
    fill(bank)
    furnish(bank)
    const before = stateOf(bank)
    const { users } = bank.service.accessControl
    for (const secret of [market.token('app cache shop'), market.token('reader cache shop scope keys:read')]) {
      const as = { cache: 'shop', secret }
      const tried = await driver.tryAll(market.server, as, KNOWN, random, VARIANTS, () => trade(bank))
      expect(tried.length).toBeGreaterThan(10)
      expect(leaks(tried)).toEqual([])
    }
    expect(stateOf(bank)).toEqual(before)
    expect(bank.service.accessControl.users.length).toBe(users.length)
    expect([...market.server.host.services.keys()]).toEqual(['default', 'shop', 'bank'])
    const shop = market.owner('shop')
    for (const line of [
      'slowlog get 1000',
      'acl log',
      'info everything',
      'client list',
      'keys *',
      'function list withcode',
    ]) {
      expect(JSON.stringify(shop.say(line)), line).not.toContain(SECRET)
    }
    expect(faults()).toEqual([])
  })

  test.each(driver === respDriver ? SCOPES : SCOPES.slice(0, 2))(
    `%s: nothing of the rest of its cache (%s, seed ${SEED})`,
    { timeout: 300_000 },
    async (scopes) => {
      const random = new Random(SEED)
      const owner = market.owner('shop')
      fill(owner)
      const listener = furnish(owner)
      const others = (key: string): boolean => !key.startsWith('mine:')
      const before = stateOf(owner, others)
      owner.run('SET', 'mine:string', 'mine')
      owner.run('SADD', 'mine:set', 'known:string')
      owner.run('RPUSH', 'mine:list', 'string')
      const aim: Aim = {
        keys: [...KNOWN.keys, 'mine:string', 'mine:set', 'mine:list', 'mine:new'],
        channels: [...KNOWN.channels, 'mine'],
      }
      const as = { cache: 'shop', secret: market.token(`app cache shop ${scopes}`) }
      const isAllTopics = scopes.endsWith('topics:readwrite')
      const tried = await driver.tryAll(market.server, as, aim, random, VARIANTS, () =>
        isAllTopics ? owner.run('SET', `${SECRET}:key`, 'x') : trade(owner),
      )
      // With all topics it may hear them, and who listens to which: of that no more is asked than that it is about topics.
      expect(
        leaks(tried).filter(
          ({ calls }) =>
            !isAllTopics || !/^(?:\S+ \/\S* ?\[*")?(?:p?subscribe|pubsub|ssubscribe|topic)/.test(calls[0]!),
        ),
      ).toEqual([])
      expect(stateOf(owner, others).filter((line) => !line.includes(SECRET))).toEqual(
        before.filter((line) => !line.includes(SECRET)),
      )
      expect(owner.service.clients.has(listener.id)).toBe(true)
      expect(market.told.filter((line) => line.startsWith('fault'))).toEqual([])
    },
  )

  test(`its owner sees it: the same calls, by a token of that cache (seed ${SEED})`, { timeout: 300_000 }, async () => {
    const bank = market.owner('bank')
    fill(bank)
    furnish(bank)
    const as = { cache: 'bank', secret: market.token('app cache bank') }
    const tried = await driver.tryAll(market.server, as, KNOWN, new Random(SEED), VARIANTS, () => trade(bank))
    expect(leaks(tried).length).toBeGreaterThan(1)
  })
})

/** What can not be done in a test, or never: it needs a file, a peer, a state of the connection, or ends the server. */
const UNDONE = new Set(
  (
    'acl|load acl|save asking bgrewriteaof client|caching client|no-touch cluster config|rewrite debug discard exec failover ' +
    'fill|put function|kill function|restore latency|graph migrate module|load module|loadex module|unload object|freq readonly readwrite ' +
    'save script|kill shutdown transfer|backup transfer|backups transfer|cancel transfer|import transfer|restore transfer|status wait'
  ).split(' '),
)

/** What a peer may be told that has not said who it is: that it has to, that what it said is wrong, and how this server is. */
const TOLD_NOBODY = {
  RESP: /^(?:-(?:NOAUTH|WRONGPASS|NOPROTO) .*|-EXECABORT .*NOAUTH.*|-ERR (?:unknown (?:sub)?command|wrong number of arguments|Protocol error|syntax error|Syntax error in HELLO|Protocol version|AUTH <password>).*|\+OK|\+RESET)$/,
  memcached: /^(?:CLIENT_ERROR .*|ERROR|MN)$/,
  HTTP: /"status":(?:400|401|403|404|405)|^(?:400|401|403|404|405) |"status":"(?:live|ready|ok|up)|^\d+ \{.*\}$|^ok$|"error":/,
}

test.each(DRIVERS)(
  `$name: nobody is told but that he has to say who he is (seed ${SEED})`,
  { timeout: 300_000 },
  async (driver) => {
    const bank = market.owner('bank')
    fill(bank)
    const before = stateOf(bank)
    const tried = await driver.tryAll(market.server, undefined, KNOWN, new Random(SEED), VARIANTS, () => trade(bank))
    expect(leaks(tried)).toEqual([])
    const lines = tried.flatMap(({ calls, answers }) =>
      answers
        .split(/\r?\n/)
        .filter(Boolean)
        .map((line) => ({ calls, line })),
    )
    const told = TOLD_NOBODY[driver.name as keyof typeof TOLD_NOBODY]
    expect(lines.filter(({ line }) => !told.test(line))).toEqual([])
    expect(lines.length).toBeGreaterThan(20)
    expect(stateOf(bank)).toEqual(before)
  },
)

test(`the calls are calls: each command is done by one of them, for who may do it (seed ${SEED})`, {
  timeout: 300_000,
}, () => {
  const random = new Random(SEED)
  const { home } = market.server.host
  const never = home.commands.entries.flatMap((entry): unknown[] => {
    if (entry.children !== undefined || entry.command.refuses || UNDONE.has(entry.fullName)) return []
    let last: unknown
    for (let at = 0; at < TRIES; at++) {
      const client = new TestClient(home)
      client.protocol = 3
      if (at % 20 === 0) {
        client.run('FLUSHALL')
        fill(client)
        furnish(client)
        client.run('TOKEN', 'ROTATE')
        client.run('TOKEN', 'CREATE', 'app')
      }
      const call = callOf(entry, random, KNOWN)
      const answer = client.run(...call)
      client.leave()
      home.pause.end()
      home.configuration.set([
        ['maxmemory', '0'],
        ['requirepass', ''],
      ])
      if (answer === undefined || typeof answer !== 'object' || answer === null || !('error' in answer)) return []
      last = { call: call.join(' '), answer }
    }
    return [last]
  })
  expect(never).toEqual([])
})
