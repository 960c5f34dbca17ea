/** Three processes on three hosts of a real network, which loses datagrams, falls apart, and has no multicast. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Lan, openLan, whyNoLan } from '../../../../tools/servers/nft.ts'
import type { HostCommand, HostReport } from './host.fixture.ts'
import type { MeshOptions } from './options.ts'

const TIMEOUT_MS = 90_000
const script = new URL('./host.fixture.ts', import.meta.url).pathname
const whyNot = whyNoLan()
let lan: Lan
let children: ChildProcess[] = []

beforeAll(() => {
  if (whyNot === undefined) lan = openLan(3)
  else console.warn(`the mesh was NOT tested between hosts: ${whyNot}`)
})
beforeEach(({ skip }) => {
  if (whyNot !== undefined) skip(`not run: ${whyNot}`)
  lan.heal()
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
afterAll(() => lan?.close())

test('by multicast they find each other, and a tenth of everything lost makes no difference in the end', {
  timeout: TIMEOUT_MS,
}, async () => {
  await start()
  lan.lose(10)
  for (let round = 0; round < 10; round++) await everyone((at) => ({ do: 'set', prefix: `${at}-${round}-`, count: 50 }))
  await everyone((at) => ({ do: 'delete', prefix: `${(at + 1) % 3}-0-`, count: 10 }))
  const all = await untilEqual(3 * 500 - 3 * 10)
  expect(lan.dropped).toBeGreaterThan(10)
  expect(all.reduce((sum, { missed }) => sum + missed, 0)).toBeGreaterThan(0)
  for (const { addresses } of all) expect(addresses.every((address) => address.startsWith('10.77.0.'))).toBe(true)
})

test('a host that was cut off takes part again: newer values, deletions and new keys of both sides', {
  timeout: TIMEOUT_MS,
}, async () => {
  await start()
  await tell(0, { do: 'set', prefix: 'k', count: 300 })
  await untilEqual(300)
  lan.cut(0)
  await until(async () => (await reports()).map(({ alive }) => alive).join() === '0,1,1')
  await tell(0, { do: 'set', prefix: 'alone', count: 200 })
  await tell(0, { do: 'delete', prefix: 'k', count: 100 })
  await tell(1, { do: 'set', prefix: 'both', count: 200 })
  expect(new Set((await reports()).map(({ checksum }) => checksum)).size).toBeGreaterThan(1)
  expect(lan.dropped).toBeGreaterThan(0)
  lan.heal()
  const all = await untilEqual(600)
  expect(all.map(({ alive }) => alive)).toEqual([2, 2, 2])
})

test('without multicast, two find a third by its address, and each other through it', {
  timeout: TIMEOUT_MS,
}, async () => {
  lan.withoutMulticast()
  const { address } = lan.hosts[0]!
  await start({ seeds: [address] })
  await everyone((at) => ({ do: 'set', prefix: `${at}-`, count: 200 }))
  await untilEqual(600)
  expect(lan.dropped).toBeGreaterThan(0)
})

test('fan-out: all find each other by a name that stands for all of them', { timeout: TIMEOUT_MS }, async () => {
  lan.withoutMulticast()
  lan.nameAll('members.mill')
  await start({ mode: 'fan-out', seeds: ['members.mill'] })
  await everyone((at) => ({ do: 'set', prefix: `${at}-`, count: 200 }))
  await untilEqual(600)
  // Nobody has even tried the group.
  expect(lan.dropped).toBe(0)
})

/** One process on each host, in a mesh of their own; resolves when all know each other. */
async function start(network: NonNullable<MeshOptions['transport']> = {}): Promise<void> {
  const name = `hosts-${randomBytes(6).toString('hex')}`
  const flags = ['--conditions=@millpond/source', '--import', 'tsx', script]
  children = lan.hosts.map((host) => {
    const options = { name, peer: host.name, key: '5e'.repeat(32), transport: { interface: 'eth0', ...network } }
    return host.spawn(process.execPath, [...flags, JSON.stringify(options)], ['ignore', 'inherit', 'inherit', 'ipc'])
  })
  await Promise.all(children.map((child) => answer(child)))
  await until(async () => (await reports()).every(({ alive }) => alive === 2))
}

async function tell(at: number, command: HostCommand): Promise<HostReport> {
  const answered = answer(children[at]!)
  children[at]!.send(command)
  return await answered
}

async function answer(child: ChildProcess): Promise<HostReport> {
  const over = new AbortController()
  const ended = once(child, 'exit', over).then(([code]) => {
    throw new Error(`a process ended with ${String(code)}`)
  })
  try {
    const [report] = (await Promise.race([once(child, 'message', over), ended])) as [HostReport]
    return report
  } finally {
    over.abort()
  }
}

async function everyone(command: (at: number) => HostCommand): Promise<void> {
  await Promise.all(children.map((_, at) => tell(at, command(at))))
}

async function reports(): Promise<HostReport[]> {
  return await Promise.all(children.map((_, at) => tell(at, { do: 'report' })))
}

async function untilEqual(size: number): Promise<HostReport[]> {
  let all: HostReport[] = []
  const isSo = async (): Promise<boolean> => {
    all = await reports()
    return all.every((one) => one.size === size && one.checksum === all[0]!.checksum)
  }
  await until(isSo, () => JSON.stringify(all))
  return all
}

async function until(isSo: () => Promise<boolean>, text = (): string => ''): Promise<void> {
  const startMs = performance.now()
  while (!(await isSo())) {
    if (performance.now() - startMs > 40_000) throw new Error(`not within 40 s: ${text()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
