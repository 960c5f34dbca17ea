/** The contracts of a store and of a bus, on Millpond's own service: by its own client, and by clients of Redis. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import { type MillpondServer, startMillpond } from '../../../../../tools/servers/millpond.ts'
import { type FaultyProxy, startProxy } from '../../../../../tools/servers/proxy.ts'
import { until } from '../../../../../tools/servers/until.ts'
import { randomId } from '../../core/ids.ts'
import type { Store } from '../../core/store.ts'
import { type BusSubject, busContract } from '../../testing/contracts-bus.ts'
import { storeContract } from '../../testing/contracts-store.ts'
import { singles } from '../valkey/clients.fixture.ts'
import { type ValkeyClient, valkeyStore } from '../valkey/index.ts'
import { connectService, type Service, type ServiceBus, serviceBus, serviceStore } from './index.ts'

// The checks wait for times to pass rather than work. More at once, and a busy machine is late for some.
vi.setConfig({ maxConcurrency: 12 })

const STRETCH = 8

const ends: (() => unknown)[] = []
const endLater = (end: () => unknown): void => void ends.push(end)
let server: MillpondServer
let service: Service
beforeAll(async () => {
  server = await startMillpond()
  service = connectService(`millpond://127.0.0.1:${server.port}`)
  endLater(() => server.destroy())
  endLater(() => service.close())
}, 60_000)
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

function keepsTheContract(open: () => Store): void {
  for (const { name, run } of storeContract)
    test.concurrent(name, { timeout: 60_000 }, () => run({ open, pass: (ms) => sleep(ms), stretch: STRETCH }))
}

describe.concurrent('stores', () => {
  describe('of a service', () => keepsTheContract(() => service.store()))
  describe('of a connection of its own, with a prefix', () => keepsTheContract(() => serviceStore(`redis://127.0.0.1:${server.port}`, { prefix: 'mill:' }))) // biome-ignore format: one line

  describe.each(['ioredis', 'node-redis'])('valkeyStore with %s', (client) => {
    let target: ValkeyClient
    beforeAll(async () => {
      target = await singles[client]!(server, endLater)
    })
    keepsTheContract(() => valkeyStore(target))
  })
})

describe('the bus', () => {
  for (const { name, run } of busContract) test(name, { timeout: 60_000 }, () => withBuses((subject) => run(subject as never))) // biome-ignore format: one line
})

/** Each end is behind a proxy of its own, which can be cut. */
async function withBuses(run: (subject: BusSubject<ServiceBus>) => Promise<void>): Promise<void> {
  const channel = randomId()
  const reaches = new Map<ServiceBus, { proxy: FaultyProxy; service: Service }>()
  const cut = new Set<ServiceBus>()
  const connected = () => [...reaches.keys()].filter((bus) => !cut.has(bus) && bus.status().connected)
  try {
    await run({
      async connect() {
        const proxy = await startProxy({ port: server.port })
        const end = connectService(`millpond://127.0.0.1:${proxy.port}`)
        endLater(() => end.close())
        const bus = serviceBus(end, { channel, heartbeat: 1000 })
        reaches.set(bus, { proxy, service: end })
        await bus.ready()
        return bus
      },
      // What is not ours is counted, so a payload of that kind shows what has arrived before it.
      async delivered() {
        const before = connected().map((bus) => [bus, bus.status().ignored] as const)
        await server.command('PUBLISH', channel, 'probe')
        await until('the probe arrives', async () => before.every(([bus, ignored]) => bus.status().ignored > ignored))
      },
      async cut(bus) {
        cut.add(bus)
        await reaches.get(bus)!.proxy.cut()
      },
      async heal(bus) {
        const { proxy, service } = reaches.get(bus)!
        await proxy.heal()
        cut.delete(bus)
        const speaks = () => service.command('PING').then((reply) => reply === 'PONG', () => false) // biome-ignore format: one line
        await until('it is connected again', async () => bus.status().connected && (await speaks()))
      },
    })
  } finally {
    await Promise.all([...reaches.keys()].map((bus) => bus.close()))
    await Promise.all([...reaches.values()].map(({ proxy }) => proxy.close()))
  }
}
