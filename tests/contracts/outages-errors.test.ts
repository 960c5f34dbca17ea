/** What a Redis or Valkey server may answer instead of doing as it is told, each as a real server says it. Rows: docs/outages.md. */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type RedisServer, redisPrograms, startRedis } from '../../tools/servers/redis.ts'
import { ask, askText } from '../../tools/servers/resp.ts'
import { until } from '../../tools/servers/until.ts'
import { expectOutage } from './outages/expectations.ts'
import { impatientStores } from './outages/stores.ts'
import { type Fault, runTrial } from './outages/trial.ts'

/** So that it can be seen to load its data, and to run a script for long. */
const SLOW = ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024']
const BUSY_AFTER_MS = ['--busy-reply-threshold', '50']

describe.each(redisPrograms())('%s', (program) => {
  let server: RedisServer
  let other: RedisServer
  beforeAll(async () => {
    ;[server, other] = await Promise.all([
      startRedis({ program, args: [...SLOW, ...BUSY_AFTER_MS] }),
      startRedis({ program }),
    ])
  })
  afterAll(async () => {
    await Promise.all([server.destroy(), other.destroy()])
  })

  describe.each(Object.keys(impatientStores))('through %s', (client) => {
    const trial = (fault: Fault, options: { fromStart?: boolean; username?: string; password?: string } = {}) => {
      const { fromStart = false, ...access } = options
      return runTrial({ fault, fromStart, store: () => impatientStores[client]!({ port: server.port, ...access }) })
    }
    /** A client of the application's own tells its owner why it does not connect; of ours, the error of the store says it. */
    const told = (reason: RegExp) => (client === 'a URL' ? reason : new RegExp(`${reason.source}|did not answer`))
    const config = (name: string, value: string) => server.command('CONFIG', 'SET', name, value)

    test('absent at the start', async () => {
      const fault = { strike: () => server.stop(), mend: () => server.restart() }
      expectOutage(await trial(fault, { fromStart: true }), told(/ECONNREFUSED/))
    })

    test('OOM: it is full and evicts nothing', async () => {
      const fault = { strike: () => config('maxmemory', '1mb'), mend: () => config('maxmemory', '0') }
      expectOutage(await trial(fault), /OOM/)
    })

    test('READONLY: it has become a replica', async () => {
      const fault = {
        strike: () => server.command('REPLICAOF', '127.0.0.1', other.port),
        mend: () => server.command('REPLICAOF', 'NO', 'ONE'),
      }
      expectOutage(await trial(fault), /READONLY/)
    })

    test('LOADING: it was killed, and reads a snapshot older than deletes that it acknowledged', async () => {
      const strike = async () => {
        await fill(server, 2000)
        await server.command('SAVE')
        await sleep(200)
        await server.kill9()
        server.restartBehind()
        await until('it loads', () => isLoading(server.port))
      }
      const mend = async () => {
        await server.untilReady()
        await server.command('CONFIG', 'SET', 'save', '')
      }
      // ioredis asks a server that loads how long that will take, and does not look again before: whole seconds, guessed.
      const recoveryMsMax = 10_000
      expectOutage(await trial({ strike, mend }), told(/LOADING|ECONN|Stream isn't writeable/), recoveryMsMax)
    })

    test('NOAUTH: it asks for a password that the client does not have', async () => {
      const mend = () => ask({ port: server.port, password: 'pond' }, 'CONFIG', 'SET', 'requirepass', '')
      expectOutage(
        await trial({ strike: () => config('requirepass', 'pond'), mend }, { fromStart: true }),
        told(/NOAUTH/),
      )
    })

    test('WRONGPASS: the password is wrong', async () => {
      const access = { username: 'miller', password: 'old' }
      const setPassword = (password: string) =>
        server.command('ACL', 'SETUSER', 'miller', 'reset', 'on', `>${password}`, '~*', '&*', '+@all')
      const fault = { strike: () => setPassword('new'), mend: () => setPassword('old') }
      expectOutage(await trial(fault, { fromStart: true, ...access }), told(/WRONGPASS/))
    })

    test('NOPERM: the user may not write', async () => {
      const access = { username: 'miller', password: 'old' }
      const allow = (rights: string) => server.command('ACL', 'SETUSER', 'miller', 'on', '>old', '~*', '&*', rights)
      await allow('+@all')
      const fault = { strike: () => allow('-@write'), mend: () => allow('+@write') }
      expectOutage(await trial(fault, access), /NOPERM/)
    })

    test('max number of clients reached', async () => {
      let last: net.Socket | undefined
      const strike = async () => {
        last = net.connect(server.port, '127.0.0.1')
        await once(last, 'connect')
        await config('maxclients', '1')
      }
      const mend = async () => {
        last!.destroy()
        await until('there is room', async () => (await config('maxclients', '1000')) === 'OK')
      }
      expectOutage(await trial({ strike, mend }, { fromStart: true }), told(/max number of clients/))
    })

    test('BUSY: it runs a script that does not end', async () => {
      const strike = async () => {
        ask({ port: server.port, timeoutMs: 30_000 }, 'EVAL', 'while true do end', 0).catch(() => undefined)
        await until('it is busy', async () => /BUSY/.test(await askText(server, 'GET', 'x').catch(String)))
      }
      const mend = () => until('it ended', async () => (await server.command('SCRIPT', 'KILL')) === 'OK')
      expectOutage(await trial({ strike, mend }), /BUSY/)
    })
  })
})

async function isLoading(port: number): Promise<boolean> {
  return /^LOADING/.test(await askText({ port }, 'GET', 'x').catch((error: Error) => error.message))
}

async function fill(server: RedisServer, count: number): Promise<void> {
  const script = `for at = 1, ${count} do redis.call('SET', 'filler:' .. at, at) end`
  await server.command('EVAL', script, 0)
}
