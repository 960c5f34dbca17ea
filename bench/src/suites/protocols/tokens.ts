/** What the checks of a token cost: the same server and cache, with a token of all keys and with none. */
import { ask } from '../../../../tools/servers/resp.ts'
import { alternate } from '../../alternate.ts'
import { atMost, type Row, row, type SuiteContext } from '../../suite.ts'
import { type Load, run } from '../server/load.ts'
import { cpuSeconds, start } from '../server/servers.ts'

const REQUESTS = { 1: 100_000, 16: 1_000_000, 64: 2_000_000 } as const

export async function tokens(context: SuiteContext): Promise<Row[]> {
  const server = await start('millpond')
  try {
    const made = (await ask({ port: server.port }, 'TOKEN', 'CREATE', 'bench', 'CACHE', 'default')) as string[]
    const user = { name: 'default', password: made[made.indexOf('token') + 1]! }
    const rows: Row[] = []
    for (const pipeline of [1, 16, 64] as const) {
      for (const command of ['set', 'get'] as const) {
        const requests = REQUESTS[pipeline] * (context.quick ? 0.25 : 1)
        rows.push(await compare(context, server, { command, bytes: 100, pipeline, requests }, user))
      }
    }
    return rows
  } finally {
    await server.destroy()
  }
}

async function compare(
  context: SuiteContext,
  server: { readonly port: number; readonly pid: number },
  load: Load,
  user: NonNullable<Load['user']>,
): Promise<Row> {
  const name = `token of all keys, ${load.command.toUpperCase()} 100 B, ${load.pipeline} deep`
  const rounds = context.rounds(9)
  const contender = (own: string, given: Load) => ({
    name: own,
    turn: async () => {
      const before = cpuSeconds(server.pid)
      await run(server.port, given)
      return (cpuSeconds(server.pid) - before) / load.requests
    },
  })
  const contenders = [contender('with', { ...load, user }), contender('without', load)]
  const progress = (round: number) => context.progress(`${name}: round ${round + 1} of ${rounds}`)
  const figures = await alternate(contenders, { rounds, warmup: 1, progress })
  return row(`${name}: CPU, with / without`, figures.ratio('with', 'without'), 'times', atMost(1.03))
}
