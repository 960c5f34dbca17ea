/** The suite `mongo-race`: are cached collections ever wrong, and does a read ever hang, while a MongoDB is treated badly? */
import { tally } from '../../../tests/simulation/fresh/judge.ts'
import type { Mutant } from '../../../tests/simulation/mongo/mutants.ts'
import { runRace } from '../../../tests/simulation/mongo/race.ts'
import { playScene, scenes } from '../../../tests/simulation/mongo/scenes.ts'
import { exactly, type Row, row, type Suite } from '../suite.ts'

const SECONDS = 300
const SECONDS_QUICK = 15

export const suite: Suite = {
  name: 'mongo-race',
  summary: 'cached collections while connections, cursors and the log of a MongoDB are lost, and primaries elected',
  options: {
    seconds: { type: 'string', summary: `how long the storm lasts; default ${SECONDS}` },
    seed: { type: 'string', summary: 'of the storm; default by chance, and printed' },
  },
  async run(context) {
    const { seconds = context.quick ? SECONDS_QUICK : SECONDS, seed = Date.now() % 1_000_000 } = context.options
    context.progress(`a storm of ${String(seconds)} s, --seed ${String(seed)}`)
    const storm = await runRace({ seed: Number(seed), seconds: Number(seconds) })
    const { verdict, wrongAtRest, hung, slowestReadMs, failedReads, writes } = storm
    const faults = Object.values(storm.faults).reduce((sum, count) => sum + count, 0)
    const found: Row[] = Object.entries(tally(verdict)).map(([name, count]) => row(name, count, 'reads', exactly(0)))
    context.note(
      `Our own test server (tools/servers/mongo.ts), not a mongod; two processes with a cache, one writer that no cache knows, --seed ${String(seed)}.\n` +
        'Reads that failed are those of which the server or the driver said so, because a connection broke.',
    )
    return [
      ...found,
      row('answers that are wrong at rest, processes that keep nothing', wrongAtRest.length, 'answers', exactly(0)),
      row('reads without an answer', hung.length, 'reads', exactly(0)),
      row('the slowest read', slowestReadMs, 'ms'),
      row('reads', verdict.reads, 'reads'),
      row('of them hits', verdict.hits.bounded + verdict.hits.atLeast + verdict.hits.strict, 'reads'),
      row('reads that failed', failedReads, 'reads'),
      row('writes', writes, 'writes'),
      row('faults', faults, 'faults'),
      ...(await sceneRows()),
    ]
  },
}

/** Each scene has to end well, and to find out the mutant that it is there for. */
async function sceneRows(): Promise<Row[]> {
  const names = Object.keys(scenes) as Mutant[]
  let [wrong, found] = [0, 0]
  for (const name of names) {
    wrong += (await playScene(name, undefined)).length
    if ((await playScene(name, name)).length > 0) found++
  }
  return [
    row('scenes that ended badly', wrong, 'scenes', exactly(0)),
    row('mutants found out', found, 'mutants', exactly(names.length)),
  ]
}
