/** The suite `mesh`: how fast, how reliable and how calm the mesh is, between processes on loopback multicast, encrypted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, startRedis } from '../../../tools/servers/redis.ts'
import { quantile, spread } from '../statistics.ts'
import { atLeast, atMost, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import { type Cluster, startCluster } from './mesh/cluster.ts'
import { localCost } from './mesh/local-cost.ts'
import type { PeerOptions } from './mesh/peer.ts'

const PORT = 47_310
const VALUE_BYTES = 64
const KEYS = 200

type Part = (context: SuiteContext) => Promise<Row[]>

/** The parts by name: `npm run bench -- mesh propagation loss` runs two of them. */
const PARTS: Readonly<Record<string, Part>> = {
  propagation: (context) => propagation(context),
  local: async () => await localCost(),
  throughput,
  loss,
  partition,
  join,
  calm,
}

export const suite: Suite = {
  name: 'mesh',
  summary: `the mesh between processes on loopback, encrypted: ${Object.keys(PARTS).join(', ')} (name some to run only those)`,
  options: { long: { type: 'boolean', summary: 'ten minutes at 10,000 updates a second too' } },
  async run(context) {
    const unknown = context.words.filter((word) => !Object.hasOwn(PARTS, word))
    if (unknown.length > 0)
      throw new Error(`there is no part ${unknown.join(', ')}; give some of ${Object.keys(PARTS).join(', ')}`)
    const names = context.words.length > 0 ? context.words : Object.keys(PARTS)
    const rows: Row[] = []
    for (const name of names) rows.push(...(await PARTS[name]!(context)))
    return rows
  },
}

/** From a write in one process to its arrival in another, beside raw UDP and Redis pub/sub in turns. */
async function propagation(context: SuiteContext): Promise<Row[]> {
  const redis = await startRedis()
  try {
    return [...(await propagationAmong(2, context, redis)), ...(await propagationAmong(5, context, redis))]
  } finally {
    await redis.stop()
  }
}

async function propagationAmong(count: number, context: SuiteContext, redis: RedisServer): Promise<Row[]> {
  const ways: readonly PeerOptions['way'][] = ['mesh', 'udp', 'redis']
  const found = new Map(ways.map((way) => [way, { p50: [] as number[], p99: [] as number[] }]))
  const clusters = new Map<PeerOptions['way'], Cluster>()
  for (const way of ways)
    clusters.set(
      way,
      await startCluster(way, count, way === 'redis' ? redis.port : way === 'udp' ? PORT + count : PORT),
    )
  for (let round = 0; round < context.rounds(5) + 1; round++) {
    for (const way of ways) {
      context.progress(`mesh: ${count} peers, ${way}, round ${round}`)
      const { p50Ms, p99Ms } = await measured(clusters.get(way)!, 1000, context.quick ? 1 : 3)
      if (round === 0) continue // warm-up
      found.get(way)!.p50.push(p50Ms)
      found.get(way)!.p99.push(p99Ms)
    }
  }
  for (const cluster of clusters.values()) await cluster.close()
  const targets = count === 2 ? [atMost(0.2), atMost(1)] : [atMost(0.3), atMost(3)]
  return ways.flatMap((way) => {
    const { p50, p99 } = found.get(way)!
    const title = `set to seen, 1,000/s, ${count} peers: ${way}`
    const judged = way === 'mesh'
    return [
      row(`${title}, p50`, spread(p50), 'ms', judged ? targets[0] : undefined),
      row(`${title}, p99`, spread(p99), 'ms', judged ? targets[1] : undefined),
    ]
  })
}

/** The first process writes, the others note: the worst of them counts. */
async function measured(cluster: Cluster, perSecond: number, seconds: number) {
  const [writer, ...readers] = cluster.peers
  for (const reader of readers) await reader.call('listen')
  const written = await writer!.call('write', { perSecond, seconds, keys: KEYS, bytes: VALUE_BYTES })
  await sleep(100)
  const heard = await Promise.all(readers.map((reader) => reader.call('heard')))
  const worst = (name: 'p50Ms' | 'p99Ms' | 'p999Ms') => Math.max(...heard.map((one) => one[name]))
  return { p50Ms: worst('p50Ms'), p99Ms: worst('p99Ms'), p999Ms: worst('p999Ms'), written, heard }
}

/** Updates a second that travel whole: no two of them are merged, and every reader has seen the last. */
async function throughput(context: SuiteContext): Promise<Row[]> {
  const seconds = context.quick ? 2 : 5
  const one = async (count: number, writers: number, target: number): Promise<Row> => {
    const figures: number[] = []
    for (let round = 0; round < context.rounds(3); round++) {
      context.progress(`mesh: throughput of ${writers} of ${count} peers, round ${round}`)
      const cluster = await startCluster('mesh', count, PORT)
      const writing = cluster.peers.slice(0, writers)
      const all = await Promise.all(
        writing.map((peer) => peer.call('flood', { seconds, keys: 20_000, bytes: VALUE_BYTES })),
      )
      await cluster.equalAfterMs(1, 10_000)
      figures.push(all.reduce((sum, { written, seconds: took }) => sum + written / took, 0))
      await cluster.close()
    }
    return row(
      `updates a second, ${count} peers, ${writers === 1 ? 'one writer' : `${writers} writers`}`,
      spread(figures),
      '/s',
      atLeast(target),
    )
  }
  return [await one(2, 1, 120_000), await one(5, 1, 100_000), await one(5, 5, 50_000), ...(await flatOut(context))]
}

/** A minute of writing without a pause: memory stays bounded, and all are equal soon after. */
async function flatOut(context: SuiteContext): Promise<Row[]> {
  const seconds = context.quick ? 5 : 60
  context.progress(`mesh: ${seconds} s flat out`)
  const cluster = await startCluster('mesh', 2, PORT)
  await cluster.peers[0]!.call('flood', { seconds: 2, keys: 20_000, bytes: VALUE_BYTES })
  const before = await cluster.all('state')
  await cluster.peers[0]!.call('flood', { seconds, keys: 20_000, bytes: VALUE_BYTES })
  const equalMs = await cluster.equalAfterMs(1, 10_000)
  const after = await cluster.all('state')
  await cluster.close()
  const growth = Math.max(...after.map(({ rssBytes }, at) => rssBytes / before[at]!.rssBytes))
  return [
    row(`equal after ${seconds} s flat out`, equalMs / 1000, 's', atMost(1)),
    row(`resident memory after / before ${seconds} s flat out`, growth, 'times', atMost(1.5)),
  ]
}

/** A tenth of all datagrams is lost, in both directions. */
async function loss(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const perSecond of [1000, 10_000, 30_000]) {
    const figures = { p99: [] as number[], p999: [] as number[] }
    let stale = 0
    for (let round = 0; round < context.rounds(3); round++) {
      context.progress(`mesh: 10 % loss at ${perSecond}/s, round ${round}`)
      const cluster = await startCluster('mesh', 2, PORT)
      await measured(cluster, perSecond, 1)
      await cluster.all('faults', { loss: 0.1 })
      const { p99Ms, p999Ms } = await measured(cluster, perSecond, context.quick ? 2 : 5)
      const [writer, reader] = await cluster.all('state')
      if (writer!.checksum !== reader!.checksum) stale++
      figures.p99.push(p99Ms)
      figures.p999.push(p999Ms)
      await cluster.close()
    }
    const title = `10 % loss, ${perSecond.toLocaleString('en')}/s`
    rows.push(row(`${title}, p99`, spread(figures.p99), 'ms', atMost(15)))
    rows.push(row(`${title}, p99.9`, spread(figures.p999), 'ms', atMost(40)))
    rows.push(row(`${title}, runs that differ 100 ms after the last write`, stale, 'runs', exactly(0)))
  }
  return rows
}

/** Cut off from each other for half a minute; each changes things; how long until all are equal again. */
async function partition(context: SuiteContext): Promise<Row[]> {
  const seconds = context.quick ? 3 : 30
  return [
    await healed(context, { peers: 3, base: 20_000, changes: 6500, seconds, targetMs: 500 }),
    await healed(context, { peers: 2, base: 0, changes: 110_000, seconds, targetMs: 2000 }),
  ]
}

async function healed(
  context: SuiteContext,
  trial: { peers: number; base: number; changes: number; seconds: number; targetMs: number },
): Promise<Row> {
  const { peers, base, changes, seconds, targetMs } = trial
  const figures: number[] = []
  for (let round = 0; round < context.rounds(3); round++) {
    context.progress(`mesh: partition of ${peers} peers, ${changes} changes each, round ${round}`)
    const cluster = await startCluster('mesh', peers, PORT)
    if (base > 0) await cluster.peers[0]!.call('fill', { count: base, bytes: 100, prefix: 'base' })
    await cluster.equalAfterMs(base, 30_000)
    const ports = (await cluster.all('address')).map(({ port }) => port)
    await Promise.all(
      cluster.peers.map((peer, at) => peer.call('faults', { cutPorts: ports.filter((_, other) => other !== at) })),
    )
    const startMs = performance.now()
    for (const [at, peer] of cluster.peers.entries()) {
      await peer.call('fill', { count: changes, bytes: 100, prefix: `own-${at}` })
      if (base > 0) await peer.call('remove', { count: 500, prefix: `base` })
    }
    await sleep(Math.max(0, seconds * 1000 - (performance.now() - startMs)))
    await cluster.all('faults', {})
    figures.push(await cluster.equalAfterMs(changes * peers, 60_000))
    const sizes = (await cluster.all('state')).map(({ size }) => size)
    const expected = changes * peers + (base > 0 ? base - 500 : 0)
    if (sizes.some((size) => size !== expected))
      throw new Error(`sizes ${sizes.join(', ')} after healing, expected ${expected}`)
    await cluster.close()
  }
  const title = `${seconds} s partition, ${peers} peers with ${changes.toLocaleString('en')} changes each: equal after`
  return row(title, spread(figures), 'ms', atMost(targetMs))
}

/** A newcomer takes over what is there, while its donor goes on writing. */
async function join(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const [count, targetMs] of [
    [100_000, 500],
    [1_000_000, 5000],
  ] as const) {
    if (context.quick && count > 100_000) continue
    const figures: number[] = []
    const stalls: number[] = []
    for (let round = 0; round < context.rounds(3); round++) {
      context.progress(`mesh: join with ${count} entries, round ${round}`)
      const cluster = await startCluster('mesh', 1, PORT)
      await cluster.peers[0]!.call('fill', { count, bytes: 100, prefix: 'base' })
      await cluster.peers[0]!.call('watchLoop')
      await sleep(500)
      await cluster.peers[0]!.call('state')
      const writing = cluster.peers[0]!.call('write', {
        perSecond: 1000,
        seconds: targetMs / 1000 + 1,
        keys: KEYS,
        bytes: VALUE_BYTES,
      })
      const newcomer = await cluster.add()
      const joinMs = await newcomer.call('joinMs')
      figures.push(joinMs)
      stalls.push((await cluster.peers[0]!.call('state')).loopMaxMs)
      await writing
      await cluster.equalAfterMs(count, 30_000)
      await cluster.close()
    }
    const title = `join with ${count.toLocaleString('en')} entries of 100 bytes`
    rows.push(row(`${title}, ready after`, spread(figures), 'ms', atMost(targetMs)))
    rows.push(row(`${title}, donor's event loop held at most`, quantile(stalls, 0.5), 'ms', atMost(20)))
  }
  return rows
}

/** What a mesh costs and does while little happens. */
async function calm(context: SuiteContext): Promise<Row[]> {
  const cluster = await startCluster('mesh', 3, PORT)
  await sleep(2000)
  const [before] = await cluster.all('state')
  const seconds = context.quick ? 5 : 20
  context.progress(`mesh: idle for ${seconds} s`)
  await sleep(seconds * 1000)
  const [after] = await cluster.all('state')
  const idle = ((after!.cpuMs - before!.cpuMs) / (seconds * 1000)) * 100
  context.progress('mesh: an event loop that is blocked for a second, and a process that is killed')
  await cluster.peers[0]!.call('block', 1000)
  await sleep(2000)
  const falseDeaths = (await cluster.all('alive')).filter((alive) => alive !== 2).length
  cluster.peers[2]!.signal('SIGKILL')
  const startMs = performance.now()
  while ((await cluster.peers[0]!.call('alive')) === 2 && performance.now() - startMs < 10_000) await sleep(20)
  const seenMs = performance.now() - startMs
  await cluster.close()
  return [
    row('idle, share of a core', idle, '%', atMost(0.5)),
    row('peers declared dead for a second of blocked event loop', falseDeaths, 'peers', exactly(0)),
    row('a killed peer is seen after', seenMs / 1000, 's', atMost(2)),
    ...(await soak(context)),
  ]
}

/** Ten minutes at 10,000 updates a second. */
async function soak(context: SuiteContext): Promise<Row[]> {
  if (context.quick || context.options.long !== true) {
    context.note('The ten minutes at 10,000/s were left out: --long runs them.')
    return []
  }
  const cluster = await startCluster('mesh', 2, PORT)
  await cluster.peers[0]!.call('write', { perSecond: 10_000, seconds: 60, keys: 20_000, bytes: VALUE_BYTES })
  const before = await cluster.all('state')
  await cluster.peers[0]!.call('write', { perSecond: 10_000, seconds: 540, keys: 20_000, bytes: VALUE_BYTES })
  const after = await cluster.all('state')
  await cluster.close()
  const growth = Math.max(...after.map(({ rssBytes }, at) => rssBytes / before[at]!.rssBytes))
  return [row('resident memory after nine more minutes at 10,000/s', growth, 'times', atMost(1.1))]
}
