/** Bytes that are almost a protocol, on every listener, before and after a password: the server answers on, and holds nothing back. */
import { COMMANDS } from '../../../../packages/millpond-server/src/commands/table.ts'
import { oddRequests } from '../../../../packages/millpond-server/src/protocols/http/fuzz.fixture.ts'
import { oddMemcached } from '../../../../packages/millpond-server/src/protocols/memcached/fuzz.fixture.ts'
import { oddBytes, throwAt } from '../../../../packages/millpond-server/src/protocols/resp/fuzz.fixture.ts'
import { type MillpondServer, startMillpond } from '../../../../tools/servers/millpond.ts'
import { servicePort } from '../../../../tools/servers/port.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { until } from '../../../../tools/servers/until.ts'
import { atMost, exactly, type Row, row, type SuiteContext } from '../../suite.ts'
import { residentBytes } from '../server/servers.ts'

const AT_ONCE = 8
const PASSWORD = 'secret'

/** What is thrown at a listener. */
interface Thrown {
  readonly protocol: string
  /** Of all bytes. */
  readonly share: number
  /** Sent on each connection. */
  readonly connectionBytes: number
  /** The option that opens its port; '': that is open. */
  readonly option: string
  readonly make: (random: () => number, bytes: number) => Buffer
}

const THROWN: readonly Thrown[] = [
  {
    protocol: 'RESP',
    share: 0.5,
    connectionBytes: 256 * 1024,
    option: '',
    make: (random, bytes) => oddBytes(COMMANDS, random, bytes),
  },
  { protocol: 'memcached', share: 0.3, connectionBytes: 64 * 1024, option: '--memcached-port', make: oddMemcached },
  { protocol: 'HTTP', share: 0.2, connectionBytes: 8 * 1024, option: '--http-port', make: oddRequests },
]
const STATES = { before: 0.25, after: 0.75 } as const
type State = keyof typeof STATES

/** Of each protocol's share a quarter before the password. `only`: that protocol has all bytes. */
export async function fuzzed(
  context: SuiteContext,
  megabytes: number,
  random: () => number,
  only?: string,
): Promise<Row[]> {
  const rows: Row[] = []
  const wanted = THROWN.filter(({ protocol }) => only === undefined || protocol.toLowerCase() === only.toLowerCase())
  for (const thrown of wanted) {
    for (const state of ['before', 'after'] as const) {
      const port = await servicePort()
      const listens = thrown.option === '' ? [] : [thrown.option, `${port}`]
      const server = await startMillpond(['--memory', '64mb', ...listens])
      const target = thrown.option === '' ? server.port : port
      try {
        if (state === 'before') await server.command('CONFIG', 'SET', 'requirepass', PASSWORD)
        const share = only === undefined ? thrown.share : 1
        const bytes = megabytes * 2 ** 20 * share * STATES[state]
        rows.push(...(await throwAll(context, server, { ...thrown, target, state, bytes }, random)))
      } finally {
        await server.destroy()
      }
    }
  }
  return rows
}

interface Throw extends Thrown {
  readonly target: number
  readonly state: State
  readonly bytes: number
}

async function throwAll(
  context: SuiteContext,
  server: MillpondServer,
  { protocol, connectionBytes, make, target, state, bytes }: Throw,
  random: () => number,
): Promise<Row[]> {
  const { pid } = server
  const of = `${protocol}, ${Math.round(bytes / 2 ** 20)} MB of odd bytes ${state} the password:`
  // Until then memory grows to what it stays at: the arena fills, code is compiled.
  const warmUpBytes = Math.min(64 * 2 ** 20, bytes / 4)
  let warm = 0
  for (let sent = 0; sent < bytes; sent += connectionBytes * AT_ONCE) {
    if (sent <= warmUpBytes) warm = residentBytes(pid)
    if (sent % (16 * 2 ** 20) === 0) context.progress(`bytes: ${protocol}, ${sent / 2 ** 20} MB ${state} the password`)
    const pieces = Array.from({ length: AT_ONCE }, () => make(random, connectionBytes))
    await Promise.all(pieces.map((piece) => throwAt(target, piece)))
  }
  // Among the bytes were wrong passwords: guesses are slowed down.
  await until('the server answers', async () => (await ping(server.port, state)) === 'PONG')
  const faults = server
    .log()
    .split('\n')
    .filter((line) => /^\w*Error\b/.test(line)).length
  return [
    row(`${of} faults in its log`, faults, 'faults', exactly(0)),
    row(`${of} resident when warm`, warm / 2 ** 20, 'MiB'),
    row(`${of} resident at the end, over that`, residentBytes(pid) / warm, 'times', atMost(1.5)),
  ]
}

function ping(port: number, state: State): Promise<unknown> {
  return ask({ port, ...(state === 'before' && { password: PASSWORD }) }, 'PING').catch(() => undefined)
}
