/** How long a polite client waits while another one sends as much as it can: beside redis-server, with the same other one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate } from '../../alternate.ts'
import { atMost, type Row, row, type SuiteContext } from '../../suite.ts'
import { fill } from '../server/load.ts'
import { LOAD_CORE, start } from '../server/servers.ts'

const NAMES = ['millpond', 'redis'] as const
const KEYS = Array.from({ length: 100 }, (_, at) => `key:${String(at).padStart(12, '0')}`)
const LUA = 'local x = 0 for i = 1, 100000 do x = x + i end return x'
/** What the other one sends: connections, commands in flight on each, and the command. */
const HOGS: Readonly<Record<string, readonly string[]>> = {
  'pipelines of 10,000 GET on 4 connections': ['-c', '4', '-P', '10000', 'GET', KEYS[0]!],
  'pipelines of 200 MGET of 100 keys on 4 connections': ['-c', '4', '-P', '200', 'MGET', ...KEYS],
  'pipelines of 100 scripts of 100,000 steps on 2 connections': ['-c', '2', '-P', '100', 'EVAL', LUA, '0'],
}
const ENDLESS = '1000000000'
const ASKED = 1000
/** Who waits for a second each time, as beside scripts on redis-server, asks less often. */
const ASKING_MS = 10_000
/** No more than this is waited for a polite client's answer, in the middle of whatever the other one does. */
const P99_MS = 20

export async function fairness(context: SuiteContext): Promise<Row[]> {
  const servers = await Promise.all(NAMES.map(async (name) => ({ name, server: await start(name) })))
  try {
    for (const { server } of servers) await fill(server.port, KEYS.length, 100)
    const rows = await compare(context, servers, 'nobody else', undefined)
    for (const [name, words] of Object.entries(HOGS)) rows.push(...(await compare(context, servers, name, words)))
    return rows
  } finally {
    for (const { server } of servers) await server.destroy()
  }
}

async function compare(
  context: SuiteContext,
  servers: readonly { readonly name: string; readonly server: { readonly port: number } }[],
  hog: string,
  words: readonly string[] | undefined,
): Promise<Row[]> {
  const rounds = context.rounds(5)
  const contenders = servers.map(({ name, server: { port } }) => ({
    name,
    turn: async () => {
      const other = words && (await begin(port, words))
      try {
        return { p99: await politeness(port, context.quick ? 0.2 : 1) }
      } finally {
        if (other) await end(other)
      }
    },
  }))
  const progress = (round: number) => context.progress(`beside ${hog}: round ${round + 1} of ${rounds}`)
  const figures = await alternate(contenders, { rounds, warmup: 1, progress })
  return [
    row(`GET beside ${hog}: p99`, figures.spread('millpond', 'p99'), 'ms', atMost(P99_MS)),
    row(`GET beside ${hog}: p99, Redis`, figures.spread('redis', 'p99'), 'ms'),
  ]
}

/** Starts the other one, and resolves when it has been served. */
async function begin(port: number, words: readonly string[]): Promise<ChildProcess> {
  const load = ['redis-benchmark', '-p', `${port}`, '-n', ENDLESS, ...words]
  const child = spawn('taskset', ['-c', `${LOAD_CORE}`, 'nice', '-n', '10', ...load], { stdio: 'ignore' })
  const served = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(String(await ask({ port, timeoutMs: 30_000 }, 'INFO', 'stats')))?.[1])
  const before = await served()
  while ((await served()) < before + 100) await new Promise((resolve) => setTimeout(resolve, 20))
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/**
 * Asks one thing after the other, a millisecond apart. Resolves with the 99th percentile of what it waits.
 *
 * @param share of what is asked, and of the time for it
 */
async function politeness(port: number, share: number): Promise<number> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const waits: number[] = []
  const endsAtMs = performance.now() + ASKING_MS * share
  while (waits.length < ASKED * share && (waits.length === 0 || performance.now() < endsAtMs)) {
    const beganMs = performance.now()
    socket.write(`GET ${KEYS[1]}\r\n`)
    await once(socket, 'data')
    waits.push(performance.now() - beganMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  socket.destroy()
  return waits.sort((one, other) => one - other)[Math.floor(waits.length * 0.99)]!
}
