import { once } from 'node:events'
import net from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RawClient } from '../../../../tests/protocols/redis/raw-client.ts'
import { type MillpondServer, startMillpond } from '../../../../tools/servers/millpond.ts'
import { until } from '../../../../tools/servers/until.ts'

// Of a machine that does much else at the same time.
vi.setConfig({ testTimeout: 60_000 })

const CLIENTS = 8
const OK = '+OK\r\n'

let server: MillpondServer
/** So many that each of the threads has some of them. */
let clients: RawClient[]

beforeAll(async () => {
  server = await startMillpond(['--threads', '3', '--memory', '64mb'])
  clients = Array.from({ length: CLIENTS }, () => new RawClient(server.port))
}, 120_000)

afterAll(async () => {
  for (const client of clients) client.close()
  await server?.destroy()
})

/** A command in words, from any client. */
function words(line: string): string[] {
  return line.split(' ')
}

async function say(client: RawClient, ...lines: readonly string[]): Promise<string[]> {
  return client.send(lines.map(words))
}

function bulk(text: string | number): string {
  return `$${String(text).length}\r\n${text}\r\n`
}

async function info(section: string): Promise<string> {
  return (await say(clients[0]!, `info ${section}`))[0]!
}

/** Waits until so many clients are connected: those that have left are gone by then. */
async function untilConnected(count: number): Promise<void> {
  while (!(await info('clients')).includes(`connected_clients:${count}\r`)) {}
}

test('what reads and writes is one step for all threads', async () => {
  const batch = Array.from({ length: 50 }, (_, at) => words(at % 5 === 0 ? 'append longer x' : 'incr counter'))
  const won: string[] = []
  await Promise.all(
    clients.map(async (client) => {
      for (let round = 0; round < 40; round++) {
        await client.send(batch)
        won.push(...(await say(client, `setnx first:${round} 1`, `set once:${round} 1 nx`)))
      }
    }),
  )
  expect(await say(clients[0]!, 'get counter')).toEqual([bulk(CLIENTS * 40 * 40)])
  expect(await say(clients[1]!, 'strlen longer')).toEqual([`:${CLIENTS * 40 * 10}\r\n`])
  expect(won.filter((reply) => reply === ':1\r\n')).toHaveLength(40)
  expect(won.filter((reply) => reply === OK)).toHaveLength(40)
})

test('nobody sees a transaction, or several keys of one command, half done', async () => {
  await say(clients[0]!, 'mset one 0 other 0')
  const halves: string[] = []
  let writing = 4
  const write = async (client: RawClient, at: number): Promise<void> => {
    for (let round = 0; round < 300; round++) {
      const value = `${at}:${round}`
      if (at % 2 === 0) await say(client, `mset one ${value} other ${value}`)
      else await say(client, 'multi', `set one ${value}`, `set other ${value}`, 'exec')
    }
    writing--
  }
  const read = async (client: RawClient): Promise<void> => {
    while (writing > 0) {
      const [reply] = await say(client, 'mget one other')
      const [, one, other] = /^\*2\r\n(\$\d+\r\n[^\r]+\r\n)(\$\d+\r\n[^\r]+\r\n)$/.exec(reply!)!
      if (one !== other) halves.push(reply!)
    }
  }
  await Promise.all(clients.map((client, at) => (at < 4 ? write(client, at) : read(client))))
  expect(halves).toEqual([])
})

test('a watched key that any thread changes breaks the transaction', async () => {
  for (const [at, watcher] of clients.entries()) {
    for (const other of clients) {
      if (other === watcher) continue
      await say(watcher, 'watch watched')
      await say(other, `set watched ${at}`)
      expect(await say(watcher, 'multi', 'get watched', 'exec')).toEqual([OK, '+QUEUED\r\n', '*-1\r\n'])
    }
  }
})

test('counting by WATCH and by INCR at the same time loses nothing', async () => {
  let broken = 0
  const watching = async (client: RawClient): Promise<void> => {
    for (let done = 0; done < 30; ) {
      const [, value] = await say(client, 'watch both', 'get both')
      const present = value === '$-1\r\n' ? 0 : Number(value!.split('\r\n')[1])
      const replies = await say(client, 'multi', `set both ${present + 1}`, 'exec')
      if (replies[2] === '*-1\r\n') broken++
      else done++
    }
  }
  const counting = async (client: RawClient): Promise<void> => {
    for (let done = 0; done < 300; done++) await say(client, 'incr both')
  }
  await Promise.all(clients.map((client, at) => (at < 4 ? watching(client) : counting(client))))
  expect(await say(clients[7]!, 'get both')).toEqual([bulk(4 * 30 + 4 * 300)])
  expect(broken).toBeGreaterThan(0)
})

test('who waits, and who listens to events, hears of the changes of all threads', async () => {
  const waiter = new RawClient(server.port)
  for (const client of clients) {
    const answer = waiter.send([['blpop', 'queue', '0']])
    while (!(await info('clients')).includes('blocked_clients:1')) {}
    await say(client, 'rpush queue value')
    expect(await answer).toEqual([`*2\r\n${bulk('queue')}${bulk('value')}`])
  }
  await say(clients[0]!, 'config set notify-keyspace-events E$')
  const heard = waiter.send([['subscribe', '__keyevent@0__:set'], ...clients.map(() => [])])
  while ((await say(clients[0]!, 'pubsub numsub __keyevent@0__:set'))[0]!.endsWith(':0\r\n')) {}
  for (const [at, client] of clients.entries()) await say(client, `set told:${at} 1`)
  expect((await heard).slice(1).map((reply) => reply.split('\r\n')[6])).toEqual(clients.map((_, at) => `told:${at}`))
  await say(clients[0]!, 'config set notify-keyspace-events ')
  waiter.close()
})

test('databases that are emptied or exchanged are so for all threads', async () => {
  for (const [at, client] of clients.entries()) {
    const next = clients[(at + 1) % CLIENTS]!
    await say(next, 'select 3', `set place ${at}`, 'select 0', 'set place home')
    await say(client, 'swapdb 0 3')
    expect(await say(next, 'get place', 'select 3', 'get place', 'select 0')).toEqual([bulk(at), OK, bulk('home'), OK])
    await say(client, 'flushall')
    expect(await say(next, 'get place', 'dbsize')).toEqual(['$-1\r\n', ':0\r\n'])
  }
})

test('collections live in one thread; any thread removes them, or puts a string in their place', async () => {
  const value = 'x'.repeat(2000)
  const names = (at: number): string[] => Array.from({ length: 50 }, (_, key) => `list:${at}:${key}`)
  const empty = /used_memory:(\d+)/
  const before = Number(empty.exec(await info('memory'))![1])
  for (let round = 0; round < 3; round++) {
    for (const [at, client] of clients.entries()) {
      await client.send(names(at).map((name) => ['rpush', name, value, value]))
    }
    expect(Number(empty.exec(await info('memory'))![1])).toBeGreaterThan(before + 400 * 4000)
    for (const [at] of clients.entries()) {
      const client = clients[(at + 3) % CLIENTS]!
      expect((await say(client, `get list:${at}:0`))[0]).toMatch(/^-WRONGTYPE/)
      expect(await client.send([['exists', ...names(at)]])).toEqual([':50\r\n'])
      await client.send(names(at).map((name, key) => (key % 2 === 0 ? ['del', name] : ['set', name, 'string'])))
      expect(await client.send([['mget', ...names(at).slice(1, 2)]])).toEqual([`*1\r\n${bulk('string')}`])
    }
    expect(await say(clients[round]!, 'type list:0:1', 'dbsize')).toEqual(['+string\r\n', ':200\r\n'])
    await say(clients[round]!, 'flushall')
  }
  expect(Number(empty.exec(await info('memory'))![1])).toBeLessThan(before + 200_000)
})

test('what all threads count is told as one', async () => {
  await say(clients[0]!, 'config resetstat', 'set there 1')
  for (const client of clients)
    await say(client, 'get there', 'get there', 'get missing', 'incr there', 'getdel missing')
  for (const client of clients) await say(client, 'lpush there 1')
  const stats = await info('stats')
  expect(stats).toContain(`keyspace_hits:${CLIENTS * 2}\r\n`)
  expect(stats).toContain(`keyspace_misses:${CLIENTS * 2}\r\n`)
  const commands = await info('commandstats')
  expect(commands).toMatch(new RegExp(`cmdstat_get:calls=${CLIENTS * 3},`))
  expect(commands).toMatch(new RegExp(`cmdstat_lpush:calls=${CLIENTS},.*failed_calls=${CLIENTS}\r`))
  // Errors come by mail: those of a moment before `resetstat` may be counted after it.
  const [, errors] = /errorstat_WRONGTYPE:count=(\d+)/.exec(await info('errorstats'))!
  expect(Number(errors)).toBeGreaterThanOrEqual(CLIENTS)
})

test('all clients are known, and can be ended, by any of them', async () => {
  const others = Array.from({ length: 6 }, () => new RawClient(server.port))
  for (const [at, other] of others.entries()) await say(other, `client setname other:${at}`, 'set mine 1')
  const [list] = await say(clients[0]!, 'client list')
  for (const [at, other] of others.entries()) {
    const [, id] = new RegExp(`id=(\\d+) [^\n]*name=other:${at} `).exec(list!)!
    const ended = expect(other.send([['blpop', 'nothing', '0']])).rejects.toThrow()
    expect(await say(clients[at]!, `client kill id ${id}`)).toEqual([':1\r\n'])
    await ended
  }
  await untilConnected(CLIENTS)
})

test('a client that may not do everything is held to it wherever it is, from the moment on', async () => {
  const others = Array.from({ length: 6 }, () => new RawClient(server.port))
  await say(clients[0]!, 'acl setuser ann on nopass ~* +@all')
  for (const other of others) expect(await say(other, 'auth ann x', 'set free 1', 'get free')).toContain(OK)
  await say(clients[3]!, 'acl setuser ann -get')
  for (const other of others) {
    expect((await say(other, 'get free'))[0]).toMatch(/^-NOPERM/)
    expect(await say(other, 'set free 2')).toEqual([OK])
    other.close()
  }
  await say(clients[0]!, 'acl deluser ann')
})

test('more clients than allowed are refused by every thread', async () => {
  await untilConnected(CLIENTS)
  await say(clients[0]!, `config set maxclients ${CLIENTS + 2}`)
  const others = Array.from({ length: 12 }, () => new RawClient(server.port))
  const answers = await Promise.allSettled(others.map((other) => say(other, 'ping')))
  const served = answers.filter((answer) => answer.status === 'fulfilled' && answer.value[0] === '+PONG\r\n')
  expect(served).toHaveLength(2)
  for (const other of others) other.close()
  await say(clients[0]!, 'config set maxclients 10000')
})

test('peers that do not read are cut off by every thread', async () => {
  await untilConnected(CLIENTS)
  await clients[0]!.send([
    ['config', 'set', 'client-output-buffer-limit', 'normal 2097152 0 0'],
    ['set', 'large', 'x'.repeat(500_000)],
  ])
  const peers = Array.from({ length: 6 }, () => net.connect({ port: server.port, host: '127.0.0.1' }))
  for (const peer of peers) {
    peer.on('error', () => {})
    await once(peer, 'connect')
  }
  await untilConnected(CLIENTS + peers.length)
  for (const peer of peers) peer.write('get large\r\n'.repeat(100))
  await untilConnected(CLIENTS)
  for (const peer of peers) peer.destroy()
  await clients[0]!.send([['config', 'set', 'client-output-buffer-limit', 'normal 0 0 0'], ['flushall']])
})

test('a log hears of the writes of all threads', async () => {
  await using logged = await startMillpond(['--threads', '3', '--append', 'always'])
  const others = Array.from({ length: 6 }, () => new RawClient(logged.port))
  for (const other of others) await say(other, 'incr counter', 'rpush list 1', 'set own x')
  await logged.restart()
  expect(await logged.command('get', 'counter')).toBe('6')
  expect(await logged.command('llen', 'list')).toBe(6)
})

test('it ends in good order while clients are there: by SHUTDOWN, by SIGTERM', async () => {
  await using other = await startMillpond(['--threads', '2'])
  expect(other.log()).toMatch(/threads +2: /)
  expect(await other.command('config', 'get', 'io-threads')).toEqual(['io-threads', '2'])
  const peers = Array.from({ length: 6 }, () => new RawClient(other.port))
  for (const peer of peers) await say(peer, 'set key 1', 'get key')
  await other.stop()
  expect(other.log()).not.toMatch(/Error/)
  await other.restart()
  const last = new RawClient(other.port)
  await expect(last.send([['shutdown', 'nosave']])).rejects.toThrow()
})

/** Ends a worker thread at a signal, whatever it does. */
const KILLER = `data:text/javascript,import { subscribe } from 'node:diagnostics_channel'
subscribe('worker_threads', ({ worker }) => process.once('SIGUSR2', () => worker.terminate()))`

test('a server that loses a thread says so, and ends', async () => {
  await using other = await startMillpond(['--threads', '2'], ['--import', KILLER.replaceAll(/[ \n]/g, encodeURI)])
  const peers = Array.from({ length: 6 }, () => new RawClient(other.port))
  for (const peer of peers) await say(peer, 'set key 1', 'get key')
  const ends = peers.map((peer) => expect(peer.send([['blpop', 'nothing', '0']])).rejects.toThrow())
  process.kill(other.pid, 'SIGUSR2')
  await Promise.all(ends)
  const said = 'thread 2 of the server has ended: exit code 1'
  await until(said, () => Promise.resolve(other.log().includes(said)))
})
