/**
 * Two threads on one cache beside one thread: the same load, alternating, on all cores. How often the rate of one thread is to be had depends on what
 * the load leaves of the cores; what the threads themselves can do is told by CPU time, which the load does not take part in.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { npmFolder } from '../../../../tools/conformance/sources.ts'
import { type ChildServer, startChild } from '../../../../tools/servers/child.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate, type Contender, type Figures, type Measured } from '../../alternate.ts'
import { atLeast, type Row, row, type SuiteContext } from '../../suite.ts'
import { type Load, run } from './load.ts'
import { cpuSeconds, MAIN } from './servers.ts'

const RATE = atLeast(1.2)
/** The first release of Node whose threads can have sockets of their own on one port. */
const SHARES_PORTS = [23, 1] as const
const LOAD_THREADS = 2

export async function threads(context: SuiteContext): Promise<Row[]> {
  const node = nodeThatShares(context)
  context.note(`Node of the servers: ${execFileSync(node, ['--version'], { encoding: 'latin1' }).trim()}`)
  const servers = [await start(node, 1), await start(node, 2)]
  try {
    const rows: Row[] = []
    for (const pipeline of [1, 16]) {
      for (const command of ['set', 'get'] as const) {
        const requests = (context.quick ? 50_000 : 200_000) * (pipeline === 1 ? 0.5 : 4)
        const load = { command, bytes: 100, pipeline, requests, threads: LOAD_THREADS }
        rows.push(...rowsOf(`${command.toUpperCase()} 100 B, ${pipeline} deep`, await compare(context, servers, load)))
      }
    }
    return rows
  } finally {
    for (const server of servers) await server.destroy()
  }
}

function rowsOf(name: string, figures: Figures): Row[] {
  return [
    row(`${name}: rate of two threads over one`, figures.ratio('two', 'one', 'rate'), 'times', RATE),
    row(`${name}: what two could do, by CPU`, 2 * figures.ratio('one', 'two', 'cpu').median, 'times', RATE),
    row(`${name}: commands by two`, figures.spread('two', 'rate'), '/s'),
    row(`${name}: CPU by two`, figures.spread('two', 'cpu'), 'us'),
  ]
}

async function compare(context: SuiteContext, servers: readonly ChildServer[], load: Load): Promise<Figures> {
  const contenders: Contender[] = servers.map((server, at) => ({
    name: at === 0 ? 'one' : 'two',
    turn: () => measure(server, load),
  }))
  for (const { port } of servers) await run(port, { ...load, command: 'set', pipeline: 16, requests: 300_000 })
  const rounds = context.rounds(7)
  return await alternate(contenders, {
    rounds,
    warmup: 1,
    progress: (round) => context.progress(`${load.command}, ${load.pipeline} deep: round ${round + 1} of ${rounds}`),
  })
}

async function measure({ port, pid }: ChildServer, load: Load): Promise<Measured> {
  const before = cpuSeconds(pid)
  const measured = await run(port, load)
  return { ...measured, cpu: ((cpuSeconds(pid) - before) / load.requests) * 1e6 }
}

async function start(node: string, count: number): Promise<ChildServer> {
  const server = await startChild({
    name: `${count} threads`,
    command: node,
    args: (port) => [MAIN, 'serve', '--port', `${port}`, '--memory', '1gb', '--threads', `${count}`],
    ready: async (port) => {
      const info = await ask({ port }, 'INFO', 'server').catch(() => '')
      return Number(/process_id:(\d+)/.exec(String(info))?.[1]) || undefined
    },
  })
  // Its first thread answers before the others listen.
  while (!server.log().includes('Ready')) await new Promise((resolve) => setTimeout(resolve, 20))
  return server
}

/** This Node where it can, else a newer one from the registry, kept in a cache folder. */
function nodeThatShares(context: SuiteContext): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > SHARES_PORTS[0] || (major === SHARES_PORTS[0] && minor >= SHARES_PORTS[1])) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  return join(
    npmFolder('node-24', [`${name}@24`], (line) => context.progress(line)),
    'node_modules',
    name,
    'bin/node',
  )
}
