/** kill -9 at random moments under load: what was acknowledged is there after the next start. */
import { crashRounds } from '../../../../tools/servers/crash-rounds.ts'
import { exactly, type Row, row, type SuiteContext } from '../../suite.ts'

export async function killed(
  context: SuiteContext,
  durability: 'always' | 'everysec',
  rounds: number,
  random: () => number,
): Promise<Row[]> {
  context.note(
    `${durability}: eight connections send INCR and transactions in batches of up to 16; in every third round the log is being rewritten. A transaction counts as torn when one of its two keys has another value than the other.`,
  )
  const report = await crashRounds({
    rounds,
    durability,
    random,
    progress: (round) => context.progress(`${durability}: kill ${round + 1} of ${rounds}`),
  })
  const of = `of ${rounds} kills, append ${durability}:`
  const before = durability === 'everysec' ? ' before the last second' : ''
  return [
    row(`${of} commands acknowledged`, report.acknowledged, 'commands'),
    row(`${of} acknowledged${before} and lost`, report.lost, 'commands', exactly(0)),
    row(`${of} transactions torn`, report.torn, 'transactions', exactly(0)),
    row(`${of} values that nobody sent`, report.invented, 'values', exactly(0)),
  ]
}
