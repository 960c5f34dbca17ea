/** RESP by TLS: us beside redis-server, from the same configuration, a core for each side. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../../../tools/servers/certificates.ts'
import { type ChildServer, startChild } from '../../../../tools/servers/child.ts'
import { servicePort } from '../../../../tools/servers/port.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate } from '../../alternate.ts'
import { atLeast, type Row, row, type SuiteContext } from '../../suite.ts'
import { type Load, run } from '../server/load.ts'
import { cpuSeconds, MAIN, SERVER_CORE } from '../server/servers.ts'
import { pinTo } from '../store/pin.ts'

const NAMES = ['millpond', 'redis'] as const
const REQUESTS = { 1: 100_000, 16: 600_000 } as const

export async function tls(context: SuiteContext): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-bench-'))
  const { cert, key } = createAuthority().issue('bench')
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  const servers: Secured[] = []
  try {
    for (const name of NAMES) servers.push(await start(name, files))
    const rows: Row[] = []
    for (const pipeline of [1, 16] as const) {
      for (const command of ['set', 'get'] as const) {
        const requests = REQUESTS[pipeline] * (context.quick ? 0.25 : 1)
        rows.push(...(await compare(context, servers, { command, bytes: 100, pipeline, requests, tls: true })))
      }
    }
    return rows
  } finally {
    for (const { server } of servers) await server.destroy()
    rmSync(folder, { recursive: true })
  }
}

interface Secured {
  readonly server: ChildServer
  readonly tlsPort: number
}

async function start(name: (typeof NAMES)[number], files: { cert: string; key: string }): Promise<Secured> {
  const tlsPort = await servicePort()
  const isOurs = name === 'millpond'
  const settings = {
    'tls-port': tlsPort,
    'tls-cert-file': files.cert,
    'tls-key-file': files.key,
    'tls-auth-clients': 'no',
    save: '',
  }
  const words = Object.entries(settings).flatMap(([parameter, value]) => [`--${parameter}`, String(value)])
  const server = await startChild({
    name,
    command: isOurs ? process.execPath : 'redis-server',
    args: (port) => [...(isOurs ? [MAIN, 'serve', '--redis-conf'] : []), '--port', `${port}`, ...words],
    ready: async (port) => {
      const info = await ask({ port }, 'INFO', 'server').catch(() => '')
      return Number(/process_id:(\d+)/.exec(String(info))?.[1]) || undefined
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return { server, tlsPort }
}

async function compare(context: SuiteContext, servers: readonly Secured[], load: Load): Promise<Row[]> {
  const name = `TLS, ${load.command.toUpperCase()} 100 B, ${load.pipeline} deep`
  const rounds = context.rounds(7)
  const contenders = servers.map(({ server, tlsPort }, at) => ({
    name: NAMES[at]!,
    turn: async () => {
      const before = cpuSeconds(server.pid)
      const measured = await run(tlsPort, load)
      return { ...measured, cpu: ((cpuSeconds(server.pid) - before) / load.requests) * 1e6 }
    },
  }))
  const progress = (round: number) => context.progress(`${name}: round ${round + 1} of ${rounds}`)
  const figures = await alternate(contenders, { rounds, warmup: 1, progress })
  return [
    row(`${name}: rate`, figures.ratio('millpond', 'redis', 'rate'), 'times', atLeast(0.9)),
    row(`${name}: CPU, Redis / Millpond`, figures.ratio('redis', 'millpond', 'cpu'), 'times', atLeast(0.9)),
  ]
}
