/** The suite `outages`: what readers and deletes feel while a shared tier fails, and how soon it is used again. */

import { type Outcome, runTrial } from '../../../tests/contracts/outages/trial.ts'
import { redisPrograms, redisVersion } from '../../../tools/servers/redis.ts'
import { atMost, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import { scenes } from './outages/scenes.ts'

const FAULT_MS = 10_000
const FAULT_MS_QUICK = 1000
const PER_SECOND = 2000

export const suite: Suite = {
  name: 'outages',
  summary:
    'real Redis, Valkey and Memcached servers killed, frozen, cut off and replaced under 2,000 requests a second',
  options: { client: { type: 'string', summary: "iovalkey, ioredis, node-redis or 'a URL' (default)" } },
  async run(context) {
    const { client = 'a URL' } = context.options
    const unhandled = countUnhandled()
    const rows: Row[] = []
    for (const name of chosen(context)) rows.push(...(await measure(name, String(client), context)))
    rows.push(row('unhandled rejections, all scenes', unhandled.stop(), 'rejections', exactly(0)))
    context.note(
      `${redisVersion(redisPrograms()[0]!)}; client: ${String(client)}. Two caches without a near tier, ${PER_SECOND} requests a second on 200 keys, one in\n` +
        `twenty a write with its delete; each fault lasts ${seconds(context)} s. "Over its loader": what the slowest read took beyond its\n` +
        'load (1 ms, or what it really took), less the time for which the event loop stood still meanwhile. Lost: rows that any process reads old after recovery.',
    )
    return rows
  },
}

/** The scenes named behind the suite, or all. */
function chosen({ words }: SuiteContext): string[] {
  return Object.keys(scenes).filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
}

async function measure(name: string, client: string, context: SuiteContext): Promise<Row[]> {
  context.progress(name)
  await using scene = await scenes[name]!(client)
  const faultMs = seconds(context) * 1000
  const { during, after, lost, recoveryMs } = await runTrial({ ...scene, faultMs, perSecond: PER_SECOND })
  const worst = (measure: keyof Outcome['during']) => Math.max(during[measure], after[measure])
  return [
    row(`${name}: slowest read over its loader`, worst('readMs'), 'ms', atMost(55)),
    row(`${name}: the same, breaker open`, worst('openReadMs'), 'ms', atMost(2)),
    row(`${name}: slowest delete`, worst('deleteMs'), 'ms', atMost(55)),
    row(`${name}: requests that failed`, during.failed + after.failed, 'requests', exactly(0)),
    row(`${name}: lost deletes`, lost.length, 'rows', exactly(0)),
    row(`${name}: in use again after`, recoveryMs, 'ms', atMost(2000)),
  ]
}

function seconds({ quick }: SuiteContext): number {
  return (quick ? FAULT_MS_QUICK : FAULT_MS) / 1000
}

function countUnhandled(): { stop(): number } {
  let count = 0
  const listener = (): void => void count++
  process.on('unhandledRejection', listener)
  return {
    stop: () => {
      process.off('unhandledRejection', listener)
      return count
    },
  }
}
