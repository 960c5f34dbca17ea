/** The suite `server-faults`: Millpond's server is killed, its disk is full, its log damaged, and bytes that nobody understands are sent to it. */
import { randomInt } from 'node:crypto'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import type { Row, Suite, SuiteContext } from '../suite.ts'
import { fuzzed } from './server-faults/bytes.ts'
import { damaged } from './server-faults/damage.ts'
import { filled } from './server-faults/disk.ts'
import { killed } from './server-faults/kills.ts'

/** The parts, and how often each does its worst. */
const KILLS = 250
const DAMAGES = 1000
const DISKS = 5
const MEGABYTES = 1024

export const suite: Suite = {
  name: 'server-faults',
  summary:
    'kill -9 under load, a full disk, a damaged log, a gigabyte of odd bytes: what was acknowledged is there, and nothing ends the server',
  options: {
    only: { type: 'string', summary: 'always, everysec, disk, damage or bytes' },
    kills: { type: 'string', summary: `N: kills with each durability, default ${KILLS}` },
    megabytes: { type: 'string', summary: `N: odd bytes, default ${MEGABYTES}` },
    protocol: { type: 'string', summary: 'of bytes: RESP, memcached or HTTP has them all' },
    seed: { type: 'string', summary: 'N: the same moments, commands and bytes again' },
  },
  async run(context) {
    const { only, protocol, seed: asked } = context.options
    const seed = asked === undefined ? randomInt(2 ** 31) : Number(asked)
    context.note(
      `Again: npm run bench -- server-faults --seed ${seed}${given('only', only)}${given('protocol', protocol)}`,
    )
    const random = seededRandom(seed)
    const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
      always: () => killed(context, 'always', numberOf(context, 'kills', KILLS), random),
      everysec: () => killed(context, 'everysec', numberOf(context, 'kills', KILLS), random),
      disk: () => filled(context, numberOf(context, 'disks', DISKS), random),
      damage: () => damaged(context, numberOf(context, 'damages', DAMAGES), random),
      bytes: () =>
        fuzzed(
          context,
          numberOf(context, 'megabytes', MEGABYTES),
          random,
          protocol === undefined ? undefined : String(protocol),
        ),
    }
    const rows: Row[] = []
    for (const [name, run] of Object.entries(parts))
      if (only === undefined || only === name) rows.push(...(await run()))
    return rows
  },
}

function given(name: string, value: string | boolean | undefined): string {
  return value === undefined ? '' : ` --${name} ${String(value)}`
}

function numberOf({ options, quick }: SuiteContext, name: string, normal: number): number {
  const given = options[name]
  return typeof given === 'string' ? Number(given) : Math.ceil(quick ? normal / 20 : normal)
}
