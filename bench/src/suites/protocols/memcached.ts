/** memcached's text protocol: us beside memcached with one thread, a core for each side. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { type ChildServer, startChild } from '../../../../tools/servers/child.ts'
import { servicePort } from '../../../../tools/servers/port.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate } from '../../alternate.ts'
import { atLeast, type Row, row, type SuiteContext } from '../../suite.ts'
import { cpuSeconds, LOAD_CORE, MAIN, SERVER_CORE } from '../server/servers.ts'
import { pinTo } from '../store/pin.ts'

const LOAD = fileURLToPath(new URL('./memcached-load.fixture.ts', import.meta.url))
const REQUESTS = { 1: 100_000, 16: 600_000, 64: 1_000_000 } as const
/**
 * What is asked of us, of nine get to a set as memtier sends them: one at a time not much dearer than memcached, and pipelined half as
 * dear. Alone they are told, too: memcached sends each value that it has found by itself, and answers to pipelined sets together.
 */
const LEAST = { 1: 0.9, 16: 2, 64: 2 } as const
const KEYS = 100_000
const BYTES = 100

export async function memcached(context: SuiteContext): Promise<Row[]> {
  const servers = [await startOurs(), await startTheirs()]
  try {
    for (const { port } of servers) await fill(port)
    const rows: Row[] = []
    for (const pipeline of [1, 16, 64] as const) {
      for (const command of ['mixed', 'set', 'get'] as const)
        rows.push(...(await compare(context, servers, command, pipeline)))
    }
    return rows
  } finally {
    for (const { server } of servers) await server.destroy()
  }
}

interface Contender {
  readonly name: 'millpond' | 'memcached'
  readonly server: ChildServer
  /** Of memcached's protocol. */
  readonly port: number
}

async function startOurs(): Promise<Contender> {
  const port = await servicePort()
  const server = await startChild({
    name: 'millpond',
    command: process.execPath,
    args: (own) => [MAIN, 'serve', '--redis-conf', '--port', `${own}`, '--memcached-port', `${port}`, '--save', ''],
    ready: async (own) => {
      const info = await ask({ port: own }, 'INFO', 'server').catch(() => '')
      return Number(/process_id:(\d+)/.exec(String(info))?.[1]) || undefined
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return { name: 'millpond', server, port }
}

async function startTheirs(): Promise<Contender> {
  const server = await startChild({
    name: 'memcached',
    command: 'memcached',
    args: (port) => ['-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-u', 'root', '-t', '1', '-m', '1024'],
    ready: async (port) => {
      const answer = await say(port, 'stats\r\n', 'END\r\n').catch(() => '')
      return Number(/STAT pid (\d+)/.exec(answer)?.[1]) || undefined
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return { name: 'memcached', server, port: server.port }
}

/** Sends a text, and resolves with what was answered when it ends in `last`. */
async function say(port: number, text: string, last: string): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1' }).setEncoding('latin1')
  let answer = ''
  socket.on('data', (more: string) => void (answer += more))
  socket.write(text)
  while (!answer.endsWith(last)) await once(socket, 'data')
  socket.destroy()
  return answer
}

async function fill(port: number): Promise<void> {
  const value = 'v'.repeat(BYTES)
  const lines = Array.from({ length: KEYS }, (_, at) => {
    return `set key:${String(at).padStart(12, '0')} 0 0 ${BYTES} noreply\r\n${value}\r\n`
  })
  await say(port, `${lines.join('')}mn\r\n`, 'MN\r\n')
}

async function compare(
  context: SuiteContext,
  servers: readonly Contender[],
  command: 'mixed' | 'set' | 'get',
  pipeline: 1 | 16 | 64,
): Promise<Row[]> {
  const name = `memcached text, ${command} ${BYTES} B, ${pipeline} deep`
  const requests = REQUESTS[pipeline] * (context.quick ? 0.25 : 1)
  const rounds = context.rounds(7)
  const contenders = servers.map(({ name: own, server, port }) => ({
    name: own,
    turn: async () => {
      const before = cpuSeconds(server.pid)
      const rate = await load(port, command, pipeline, requests)
      return { rate, cpu: ((cpuSeconds(server.pid) - before) / requests) * 1e6 }
    },
  }))
  const progress = (round: number) => context.progress(`${name}: round ${round + 1} of ${rounds}`)
  const figures = await alternate(contenders, { rounds, warmup: 1, progress })
  const target = command === 'mixed' ? atLeast(LEAST[pipeline]) : undefined
  return [
    row(`${name}: rate`, figures.ratio('millpond', 'memcached', 'rate'), 'times', target),
    row(`${name}: CPU, memcached / Millpond`, figures.ratio('memcached', 'millpond', 'cpu'), 'times', target),
  ]
}

async function load(port: number, command: string, pipeline: number, requests: number): Promise<number> {
  const words = [process.execPath, '--import', 'tsx', LOAD, port, command, BYTES, pipeline, requests].map(String)
  const child = spawn('taskset', ['-c', `${LOAD_CORE}`, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => void (said += text))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`the load ended with ${code}`)
  return (JSON.parse(said) as { rate: number }).rate
}
