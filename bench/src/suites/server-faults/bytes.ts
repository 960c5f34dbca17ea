/** Bytes that are almost the protocol, before and after a password: the server answers on, and holds nothing back. */
import { COMMANDS } from '../../../../packages/millpond-server/src/commands/table.ts'
import { oddBytes, throwAt } from '../../../../packages/millpond-server/src/protocols/resp/fuzz.fixture.ts'
import { type MillpondServer, startMillpond } from '../../../../tools/servers/millpond.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { until } from '../../../../tools/servers/until.ts'
import { atMost, exactly, type Row, row, type SuiteContext } from '../../suite.ts'
import { residentBytes } from '../server/servers.ts'

const CONNECTION_BYTES = 256 * 1024
const AT_ONCE = 8
const PASSWORD = 'secret'
/** Until so much was sent memory grows to what it stays at: the arena fills, code is compiled. */
const WARM_UP_BYTES = 64 * 2 ** 20

/** A quarter of them before the password. */
export async function fuzzed(context: SuiteContext, megabytes: number, random: () => number): Promise<Row[]> {
  const rows: Row[] = []
  for (const [state, share] of [
    ['before', 0.25],
    ['after', 0.75],
  ] as const) {
    const server = await startMillpond(['--memory', '64mb'])
    try {
      if (state === 'before') await server.command('CONFIG', 'SET', 'requirepass', PASSWORD)
      rows.push(...(await throwAll(context, server, state, megabytes * 2 ** 20 * share, random)))
    } finally {
      await server.destroy()
    }
  }
  return rows
}

async function throwAll(
  context: SuiteContext,
  server: MillpondServer,
  state: 'before' | 'after',
  bytes: number,
  random: () => number,
): Promise<Row[]> {
  const { pid } = server
  const of = `of ${Math.round(bytes / 2 ** 20)} MB of odd bytes ${state} the password:`
  let warm = 0
  let sent = 0
  for (; sent < bytes; sent += CONNECTION_BYTES * AT_ONCE) {
    if (sent <= Math.min(WARM_UP_BYTES, bytes / 4)) warm = residentBytes(pid)
    if (sent % (32 * 2 ** 20) === 0) context.progress(`bytes: ${sent / 2 ** 20} MB ${state} the password`)
    const pieces = Array.from({ length: AT_ONCE }, () => oddBytes(COMMANDS, random, CONNECTION_BYTES))
    await Promise.all(pieces.map((piece) => throwAt(server.port, piece)))
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

function ping(port: number, state: 'before' | 'after'): Promise<unknown> {
  return ask({ port, ...(state === 'before' && { password: PASSWORD }) }, 'PING').catch(() => undefined)
}
