/** The suite `server-faults`: Millpond's server is killed under load, again and again; what it has acknowledged must be there. */
import { randomInt } from 'node:crypto'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import { type CrashReport, crashRounds } from '../../../tools/servers/crash-rounds.ts'
import { exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'

export const suite: Suite = {
  name: 'server-faults',
  summary: 'kill -9 of the server at random moments under load: what was acknowledged is there after the next start',
  options: { seed: { type: 'string', summary: 'N: the same moments and commands again' } },
  async run(context) {
    const seed = randomSeed(context)
    context.note(
      `Again: npm run bench -- server-faults --seed ${seed}. Eight connections send INCR and transactions in batches of up to 16; in every third round`,
    )
    context.note(
      'the log is being rewritten. A transaction counts as torn when one of its two keys has another value than the other.',
    )
    return [...(await killed(context, 'always', 500, seed)), ...(await killed(context, 'everysec', 100, seed))]
  },
}

function randomSeed({ options: { seed } }: SuiteContext): number {
  return seed === undefined ? randomInt(2 ** 31) : Number(seed)
}

async function killed(
  context: SuiteContext,
  durability: 'always' | 'everysec',
  normal: number,
  seed: number,
): Promise<Row[]> {
  const rounds = context.rounds(normal)
  const report: CrashReport = await crashRounds({
    rounds,
    durability,
    random: seededRandom(seed),
    progress: (round) => context.progress(`${durability}: kill ${round + 1} of ${rounds}`),
  })
  const of = `of ${rounds} kills, append ${durability}:`
  return [
    row(`${of} commands acknowledged`, report.acknowledged, 'commands'),
    row(
      `${of} acknowledged${durability === 'everysec' ? ' before the last second' : ''} and lost`,
      report.lost,
      'commands',
      exactly(0),
    ),
    row(`${of} transactions torn`, report.torn, 'transactions', exactly(0)),
    row(`${of} values that nobody sent`, report.invented, 'values', exactly(0)),
  ]
}
