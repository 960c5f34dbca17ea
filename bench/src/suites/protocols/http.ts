/** HTTP: a value by key beside a server of node:http that does nothing but answer, a core for each side, by wrk. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ChildServer, startChild } from '../../../../tools/servers/child.ts'
import { servicePort } from '../../../../tools/servers/port.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate } from '../../alternate.ts'
import { atLeast, type Row, row, type SuiteContext } from '../../suite.ts'
import { cpuSeconds, LOAD_CORE, MAIN, SERVER_CORE } from '../server/servers.ts'
import { pinTo } from '../store/pin.ts'

const BARE = fileURLToPath(new URL('./bare-http.mjs', import.meta.url))
const BYTES = 100
const CONNECTIONS = 50

interface Contender {
  readonly name: 'millpond' | 'bare'
  readonly server: ChildServer
  /** Of HTTP. */
  readonly port: number
}

export async function http(context: SuiteContext): Promise<Row[]> {
  if (!hasLoad()) {
    context.note('HTTP was not measured: wrk is not here (apt-get install wrk)')
    return []
  }
  const contenders = [await startOurs(), await startBare()]
  try {
    await fetch(`http://127.0.0.1:${contenders[0]!.port}/cache/default?key=k`, {
      method: 'PUT',
      body: 'v'.repeat(BYTES),
    })
    return [
      ...(await compare(context, contenders, 'value by key', '/cache/default?key=k')),
      ...(await compare(context, contenders, 'command as REST', '/get/k')),
    ]
  } finally {
    for (const { server } of contenders) await server.destroy()
  }
}

async function startOurs(): Promise<Contender> {
  const port = await servicePort()
  const server = await startChild({
    name: 'millpond',
    command: process.execPath,
    args: (own) => [MAIN, 'serve', '--redis-conf', '--port', `${own}`, '--http-port', `${port}`, '--save', ''],
    ready: async (own) => {
      const info = await ask({ port: own }, 'INFO', 'server').catch(() => '')
      return Number(/process_id:(\d+)/.exec(String(info))?.[1]) || undefined
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return { name: 'millpond', server, port }
}

async function startBare(): Promise<Contender> {
  const server = await startChild({
    name: 'bare',
    command: process.execPath,
    args: (port) => [BARE, `${port}`, `${BYTES}`],
    ready: async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/pid`).catch(() => undefined)
      return answer && Number(await answer.text())
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return { name: 'bare', server, port: server.port }
}

async function compare(
  context: SuiteContext,
  servers: readonly Contender[],
  what: string,
  path: string,
): Promise<Row[]> {
  const name = `HTTP, ${what}, ${BYTES} B`
  const rounds = context.rounds(9)
  const seconds = context.quick ? 1 : 3
  const contenders = servers.map(({ name: own, server, port }) => ({
    name: own,
    turn: async () => {
      const before = cpuSeconds(server.pid)
      const requests = await load(`http://127.0.0.1:${port}${path}`, seconds)
      return { rate: requests / seconds, cpu: ((cpuSeconds(server.pid) - before) / requests) * 1e6 }
    },
  }))
  const progress = (round: number) => context.progress(`${name}: round ${round + 1} of ${rounds}`)
  const figures = await alternate(contenders, { rounds, warmup: 1, progress })
  const target = path.startsWith('/cache/') ? atLeast(0.8) : undefined
  return [
    row(`${name}: of a bare node:http server, by CPU`, figures.ratio('bare', 'millpond', 'cpu'), 'times', target),
    row(`${name}: of a bare node:http server, by rate`, figures.ratio('millpond', 'bare', 'rate'), 'times'),
    row(`${name}: CPU a request`, figures.spread('millpond', 'cpu'), 'µs'),
  ]
}

/** Returns how many requests were answered. @throws Error some were not well */
async function load(url: string, seconds: number): Promise<number> {
  const words = ['-c', `${LOAD_CORE}`, 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, url]
  const child = spawn('taskset', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const part of child.stdout.setEncoding('utf8')) text += String(part)
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  if (!(requests > 0) || text.includes('Non-2xx')) throw new Error(`wrk said: ${text}`)
  return requests
}

function hasLoad(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}
