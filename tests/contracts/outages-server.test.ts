/** One Redis or Valkey server that dies, freezes, is cut off or resets, with each client, under requests. Rows: docs/outages.md. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { FaultyProxy } from '../../tools/servers/proxy.ts'
import { startProxy } from '../../tools/servers/proxy.ts'
import { type RedisServer, redisPrograms, redisVersion, startRedis } from '../../tools/servers/redis.ts'
import { expectHarmless, expectOutage } from './outages/expectations.ts'
import { singleStores } from './outages/stores.ts'
import { type Fault, runTrial } from './outages/trial.ts'

describe.each(redisPrograms())('%s', (program) => {
  let server: RedisServer
  let proxy: FaultyProxy
  beforeAll(async () => {
    server = await startRedis({ program })
    proxy = await startProxy(server)
  })
  afterAll(async () => {
    await proxy.close()
    await server.destroy()
  })

  test('a connection that a firewall forgot is replaced', async () => {
    const fault = { strike: async () => proxy.abandon(), mend: async () => undefined }
    expectOutage(await runTrial({ fault, store: () => singleStores['a URL']!(proxy) }), /did not answer/)
  })

  describe.each(Object.keys(singleStores))(`through %s, as ${redisVersion(program)}`, (client) => {
    const trial = (target: () => { port: number }, fault: Fault) =>
      runTrial({ fault, store: () => singleStores[client]!(target()) })

    test('killed, and started again', async () => {
      const fault = { strike: () => server.kill9(), mend: () => server.restart() }
      expectOutage(await trial(() => server, fault), /did not answer|broke its connection|isn't writeable|closed/)
    })

    test('frozen, and going on', async () => {
      const fault = { strike: async () => server.pause(), mend: async () => server.resume() }
      expectOutage(await trial(() => server, fault), /did not answer/)
    })

    test('cut off, and reset when the way is open again', async () => {
      const fault = { strike: async () => proxy.swallow(), mend: () => proxy.heal() }
      expectOutage(await trial(() => proxy, fault), /did not answer/)
    })

    test('cut off, and what was sent arrives when the way is open again', async () => {
      const fault = { strike: async () => proxy.hold(), mend: () => proxy.heal() }
      expectOutage(await trial(() => proxy, fault), /did not answer/)
    })

    test('connections are reset, again and again', async () => {
      let timer: NodeJS.Timeout | undefined
      const strike = async () => void (timer = setInterval(() => proxy.reset(), 100))
      const mend = async () => clearInterval(timer)
      expectHarmless(await trial(() => proxy, { strike, mend }))
    })
  })
})
