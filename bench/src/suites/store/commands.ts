/** Counts the commands that reach the server, as the server itself counts them. */
import { createCache } from 'millpond'
import { MemoryBusHub } from 'millpond/testing'
import { valkeyStore } from 'millpond/valkey'
import type { RedisServer } from '../../../../tools/servers/redis.ts'
import { exactly, type Row, row } from '../../suite.ts'

const TAG = 'trades'
const ENTRIES = 100

export async function countCommands(server: RedisServer): Promise<Row[]> {
  const store = valkeyStore(server.url)
  const hub = new MemoryBusHub()
  let published = 0
  const bus = hub.connect()
  const publish = bus.publish.bind(bus)
  bus.publish = (message) => {
    published++
    return publish(message)
  }
  const make = (own = hub.connect()) =>
    createCache({ name: 'commands', store, bus: own, storeTimeout: '10s', fence: '1m' })
  const [cache, peer] = [make(bus), make()]
  const read = (from: typeof cache, key: string) => from.getOrSet(key, () => key, { tags: [TAG] })
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50))
  const during = async (work: () => Promise<unknown>): Promise<number> => {
    await settle()
    const before = await commandsOf(server)
    await work()
    await settle()
    return (await commandsOf(server)) - before
  }
  for (let at = 0; at < ENTRIES; at++) await read(cache, `${at}`)
  await read(peer, 'known') // the versions of its tags are known now
  const counts = {
    'a near hit': [await during(() => read(cache, '1')), 0],
    'a store hit, tagged': [await during(() => read(peer, '1')), 1],
    'a miss: read and fill': [await during(() => read(cache, 'new')), 2],
    [`deleteByTag of ${ENTRIES} entries`]: [await during(() => cache.deleteByTag(TAG)), 1],
  } as const
  const before = published
  await cache.deleteByTag(TAG)
  await settle()
  const rows = Object.entries(counts).map(([name, [count, bound]]) =>
    row(`commands to the server: ${name}`, count, 'commands', exactly(bound)),
  )
  rows.push(row('messages on the bus: deleteByTag', published - before, 'messages', exactly(1)))
  await Promise.all([cache.close(), peer.close()])
  return rows
}

/** All commands since the server began, those of connecting and of measuring excepted. */
async function commandsOf(server: RedisServer): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'))
  let sum = 0
  for (const [, name = '', calls] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (/^(info|client|hello|time|script|select|auth|ping|command)/.test(name)) continue
    sum += Number(calls)
  }
  return sum
}
