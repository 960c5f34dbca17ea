/** What only a real server shows, and what it does when it is in trouble. */
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../../../../../tools/servers/certificates.ts'
import { freeze } from '../../../../../tools/servers/child.ts'
import { type MemcachedOptions, type MemcachedServer, startMemcached } from '../../../../../tools/servers/memcached.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { StoreError } from '../../core/errors.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import { memcachedStore } from './memcached-store.ts'
import type { MemcachedStoreOptions } from './options.ts'

const HOUR_MS = 3_600_000
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function recordOf(value: string, more: Partial<StoreRecord> = {}): StoreRecord {
  return { value, freshMs: HOUR_MS, keepMs: HOUR_MS, tags: [], ...more }
}

async function start(options: MemcachedOptions = {}): Promise<MemcachedServer> {
  const server = await startMemcached(options)
  cleanups.push(() => server.destroy())
  return server
}

function open(servers: string, options: MemcachedStoreOptions = {}): Store {
  const store = memcachedStore(servers, options)
  cleanups.push(() => store.close())
  return store
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Tries until it succeeds; the last error where it does not in time. */
async function eventually<T>(run: () => Promise<T>, limitMs = 5000): Promise<T> {
  const until = performance.now() + limitMs
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(20)
    }
  }
}

async function readOne(store: Store, key: string) {
  return (await store.read([key], [])).entries[0]!
}

describe('a server that is well', () => {
  let server: MemcachedServer
  let store: Store
  beforeEach(async () => {
    server = await start()
    store = open(server.address)
  })

  test('is asked in one round trip: 400 keys and 100 tags', async () => {
    const keys = Array.from({ length: 400 }, (_, at) => `key ${at}`)
    const tags = Array.from({ length: 100 }, (_, at) => `tag ${at}`)
    const { versions } = await store.read(keys, tags)
    const packets = countWrites(store)
    expect((await store.read(keys, tags)).versions).toEqual(versions)
    expect(packets()).toBe(1)
  })

  test('a record that is too large is refused, and no old one stays; a tombstone does', async () => {
    const huge = recordOf('x'.repeat(1_100_000))
    await store.fill('k', recordOf('old'), '')
    const { mark } = await readOne(store, 'k')
    await expect(store.fill('k', huge, mark)).rejects.toMatchObject({ code: 'ERR_STORE', refused: true })
    expect((await readOne(store, 'k')).record).toBeUndefined()
    expect(await store.fill('k', recordOf('late'), '')).toBe(false)
    const [tombstone] = await store.invalidate(['k'], HOUR_MS, true)
    await expect(store.fill('k', huge, tombstone!)).rejects.toThrow(/1\d{6} bytes are more than the 1048576/)
    expect(await readOne(store, 'k')).toEqual({ mark: tombstone, held: true })
    await expect(store.fill('k', huge, '')).rejects.toMatchObject({ refused: true })
  })

  test('around the limit a record is stored or refused before it is sent; the server never has to', async () => {
    const outcomes = new Set<string>()
    for (let size = 1_048_576 - 1000; size < 1_048_576 + 100; size += 50) {
      const key = `${'y'.repeat(300)}${size}`
      const stored = await store
        .fill(key, recordOf('x'.repeat(size)), '')
        .catch((error: StoreError) => (error.refused ? 'refused' : error.message))
      const read = await readOne(store, key)
      outcomes.add(`${stored} ${read.record?.value.length === size}`)
    }
    expect(outcomes).toEqual(new Set(['true true', 'refused false']))
  })

  test('what others emptied is absent; versions are new, so nothing older is valid', async () => {
    const before = await store.read([], ['t'])
    await store.fill('k', recordOf('x'), '')
    await server.command('flush_all')
    await sleep(1100) // the server's clock ticks by the second
    const after = await store.read(['k'], ['t'])
    expect(after.entries).toEqual([{ mark: '' }])
    expect(after.versions).not.toEqual(before.versions)
  })

  test('what others have put under a key is no record, and is replaced by an invalidation only', async () => {
    await server.command('ms millpond:e:k 5 T0\r\nhello')
    await server.command('ms millpond:t:t 5 T0\r\nhello')
    await server.command('ms millpond:l:k 5 T0\r\nhello')
    const { entries, versions } = await store.read(['k'], ['t'])
    expect(entries[0]!.record).toBeUndefined()
    expect(await store.fill('k', recordOf('x'), entries[0]!.mark)).toBe(false)
    expect(await store.fill('k', recordOf('x'), '')).toBe(false)
    expect((await store.read([], ['t'])).versions).toEqual(versions)
    const [mark] = await store.invalidate(['k'], HOUR_MS, false)
    expect(await store.fill('k', recordOf('x'), mark!)).toBe(true)
  })

  test('a process whose clock is an hour off reads lives that are right to a second or two', async () => {
    const late: Clock = { ...systemClock, wall: () => Date.now() + HOUR_MS }
    const other = open(server.address, { clock: late })
    await store.fill('k', recordOf('x', { freshMs: 60_000, keepMs: 120_000 }), '')
    const { record } = await readOne(other, 'k')
    expect(record!.freshMs).toBeGreaterThan(57_000)
    expect(record!.freshMs).toBeLessThanOrEqual(60_000)
    await other.invalidate(['k'], 30_000, false)
    expect(await store.fill('k', recordOf('late'), '')).toBe(false)
  })

  test('prefixes keep stores apart', async () => {
    const other = open(server.address, { prefix: 'other:' })
    await store.fill('k', recordOf('x'), '')
    expect(await readOne(other, 'k')).toEqual({ mark: '' })
  })

  test('many requests at once are answered each with its own', async () => {
    const keys = Array.from({ length: 500 }, (_, at) => `k${at}`)
    await Promise.all(keys.map((key) => store.fill(key, recordOf(key), '')))
    const values = await Promise.all(keys.map(async (key) => (await readOne(store, key)).record?.value))
    expect(values).toEqual(keys)
  })
})

describe('a server that is not as it should be', () => {
  test('asks for a password', async () => {
    const server = await start({ password: 's%e:c@r,et' })
    const store = open(`memcached://millpond:${encodeURIComponent('s%e:c@r,et')}@${server.address}`)
    expect(await readOne(store, 'k')).toEqual({ mark: '' })
    await expect(open(server.address).read(['k'], [])).rejects.toThrow('password')
    const wrong = open(`memcached://millpond:wrong@${server.address}`).read(['k'], [])
    await expect(wrong).rejects.toThrow(/password/)
    await expect(wrong).rejects.not.toThrow('wrong@')
  })

  test('speaks TLS', async () => {
    const server = await start()
    const authority = createAuthority()
    const secure = tls.createServer(authority.issue('memcached'), (socket) => {
      const inner = net.connect(server.port, '127.0.0.1')
      socket
        .on('error', () => inner.destroy())
        .on('close', () => inner.destroy())
        .pipe(inner)
        .pipe(socket)
    })
    await new Promise<void>((resolve) => void secure.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => void secure.close(resolve)))
    const { port } = secure.address() as net.AddressInfo
    for (const host of ['127.0.0.1', 'localhost']) {
      const store = open(`${host}:${port}`, { tls: { ca: authority.cert } })
      await store.invalidate(['k'], HOUR_MS, false)
      expect((await readOne(store, 'k')).mark).not.toBe('')
    }
    await expect(readOne(open(`127.0.0.1:${port}`, { tls: true }), 'k')).rejects.toThrow('certificate')
    await expect(readOne(open(server.address, { tls: true, stallTimeout: 300 }), 'k')).rejects.toThrow('not connected')
  })

  test('has no compare-and-set', async () => {
    const server = await start({ args: ['-C'] })
    await expect(open(server.address).read(['k'], [])).rejects.toThrow('start it without -C')
  })

  test('takes larger or smaller items', async () => {
    const large = open((await start({ args: ['-I', '4m', '-m', '128'] })).address)
    expect(await large.fill('k', recordOf('x'.repeat(2_000_000)), '')).toBe(true)
    expect((await readOne(large, 'k')).record?.value.length).toBe(2_000_000)
    const small = open((await start({ args: ['-I', '16k', '-o', 'slab_chunk_max=8'] })).address)
    await expect(small.fill('k', recordOf('x'.repeat(20_000)), '')).rejects.toMatchObject({ refused: true })
  })

  test('is full: what was stored longest ago goes, and no call fails', async () => {
    const server = await start({ args: ['-m', '8', '-o', 'temporary_ttl=61'] })
    const store = open(server.address)
    const marks = await store.invalidate(['fenced'], 30_000, false)
    const versions = (await store.read([], ['t'])).versions
    let filled = 0
    for (let at = 0; at < 1500; at++) if (await store.fill(`k${at}`, recordOf('x'.repeat(20_000)), '')) filled++
    expect(filled).toBe(1500)
    expect((await readOne(store, 'k0')).record).toBeUndefined()
    expect((await readOne(store, 'fenced')).mark).toBe(marks[0])
    expect((await store.read([], ['t'])).versions).toEqual(versions)
  })

  test('is not there, and then it is', async () => {
    const server = await start()
    const { port } = server
    await server.stop()
    const store = open(server.address)
    await expect(store.read(['k'], [])).rejects.toMatchObject({ code: 'ERR_STORE', message: expect.stringContaining('ECONNREFUSED') }) // biome-ignore format: one line
    await expect(store.invalidate(['k'], 1000, false)).rejects.toThrow('not connected')
    server.restartBehind()
    await server.untilReady()
    expect(server.port).toBe(port)
    expect(await eventually(() => readOne(store, 'k'))).toEqual({ mark: '' })
  })

  test('is restarted: it is empty, who watches is told, and marks from before fit nothing', async () => {
    const server = await start()
    const store = open(server.address)
    let doubts = 0
    const stop = store.watch!(() => doubts++)
    const [mark] = await store.invalidate(['k'], HOUR_MS, false)
    const { versions } = await store.read([], ['t'])
    await server.kill9()
    await eventually(async () => expect(doubts).toBe(1))
    server.restartBehind()
    await server.untilReady()
    expect((await eventually(() => store.read(['k'], ['t']))).versions).not.toEqual(versions)
    expect(await store.fill('k', recordOf('late'), mark!), 'a fill on a mark, where nothing is').toBe(false)
    expect(doubts, 'told of its loss, and of its return').toBe(2)
    // As many changes as before the restart, so that the server's own numbers meet those from before.
    await store.invalidate(['k'], HOUR_MS, false)
    expect(await store.fill('k', recordOf('late'), mark!)).toBe(false)
    stop()
  })

  test('is frozen: the connection is given up, and opened anew', async () => {
    const server = await start()
    const store = open(server.address, { stallTimeout: 200 })
    await store.fill('k', recordOf('x'), '')
    await freeze(server)
    await expect(store.read(['k'], [])).rejects.toThrow('did not answer within 200 ms')
    // At once: else this would say that it did not answer.
    await expect(store.read(['k'], [])).rejects.toThrow('not connected')
    server.resume()
    expect((await eventually(() => readOne(store, 'k'))).record?.value).toBe('x')
  })

  test('does not keep up: what waits for it has a bound', async () => {
    const server = await start()
    const store = open(server.address, { stallTimeout: '20s' })
    await readOne(store, 'k')
    await freeze(server)
    const large = recordOf('x'.repeat(1_000_000))
    const asked = Array.from({ length: 100 }, (_, at) => store.fill(`large ${at}`, large, '').catch((error: Error) => error.message)) // biome-ignore format: one line
    expect((await Promise.race([Promise.all(asked.slice(90)), sleep(5000)])) ?? []).toContainEqual(expect.stringContaining('does not keep up')) // biome-ignore format: one line
    server.resume()
    expect((await Promise.all(asked)).filter((stored) => stored === true).length).toBeGreaterThan(50)
  })

  test('is another program: nothing it says is taken for an answer', async () => {
    const web = net.createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => void web.close(resolve)))
    const { port } = web.address() as net.AddressInfo
    await expect(open(`127.0.0.1:${port}`).read(['k'], [])).rejects.toMatchObject({ code: 'ERR_STORE' })
  })

  test('after close nothing is sent, and nothing is left open', async () => {
    const server = await start()
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    await eventually(async () => expect(sockets()).toBe(0)) // those of the launcher
    const store = memcachedStore(server.address)
    await readOne(store, 'k')
    expect(sockets(), 'one that is idle keeps no process alive').toBe(0)
    const asked = readOne(store, 'k')
    await new Promise((resolve) => process.nextTick(resolve))
    expect(sockets()).toBe(1)
    await asked
    await store.close()
    await expect(store.read(['k'], [])).rejects.toThrow('is closed')
    expect(sockets()).toBe(0)
  })
})

/** Counts what is written to sockets from now on. */
function countWrites(_: Store): () => number {
  const { write } = net.Socket.prototype
  let writes = 0
  net.Socket.prototype.write = function (this: net.Socket, ...args: never[]) {
    if (this.remotePort !== undefined) writes++
    return (write as (...args: never[]) => boolean).apply(this, args)
  } as never
  cleanups.push(() => {
    net.Socket.prototype.write = write
  })
  return () => writes
}
