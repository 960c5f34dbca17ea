/** The suite `race`: does a load that was overtaken by a write leave its old row in the cache? */

import { setTimeout as sleep } from 'node:timers/promises'
import { peers } from '../peers/index.ts'
import { millpond } from '../peers/millpond.ts'
import { exactly, type Row, row, type Suite } from '../suite.ts'
import type { Interleaving, Scenario } from './race/scenarios.ts'
import * as scenarios from './race/scenarios.ts'
import { oneTier, type Setup, severalInstances, twoTiers } from './race/setups.ts'
import { NEW, PAUSES, settle, World } from './race/world.ts'

const { deleteDuringLoad, readerAfterDelete, setDuringLoad, tagDuringLoad, deleteDuringRenewal, coherence } = scenarios

const OVERTAKEN = [deleteDuringLoad, readerAfterDelete, setDuringLoad, tagDuringLoad, deleteDuringRenewal]

/** Every pair of pauses; the writer's telling may also be waited for. */
const INTERLEAVINGS: readonly Interleaving[] = PAUSES.flatMap((afterRead) =>
  [...PAUSES, (told: Promise<unknown>) => told].map((afterTelling) => ({ afterRead, afterTelling })),
)

export const suite: Suite = {
  name: 'race',
  summary: 'stale reads after a write that overtakes a load: the stale-fill matrix, in every order of steps',
  async run(context) {
    const rows: Row[] = []
    const absent: string[] = []
    const play = async (scenario: Scenario, setup: Setup): Promise<void> => {
      const figure = await count(scenario, setup)
      if (figure) rows.push(figure)
      else absent.push(`${scenario.name}: ${setup.name}`)
    }
    for (const scenario of OVERTAKEN) {
      for (const peer of [millpond, ...peers]) await play(scenario, oneTier(peer))
    }
    for (const scenario of OVERTAKEN) await play(scenario, twoTiers)
    for (const scenario of [...OVERTAKEN, coherence]) await play(scenario, severalInstances)
    context.note(
      `Each count is of ${INTERLEAVINGS.length} orders of the same steps. A read counts as stale when it began after the writer was\n` +
        'done and returned the old row; with a shared tier, what a new instance reads from it counts too.',
    )
    context.note(
      `Not possible there, for want of tags on what a loader returns (S4) or of renewal (S8):\n  ${absent.join('\n  ')}`,
    )
    return rows
  },
}

/** Plays a scenario in every order and counts the orders with a stale read. Nothing where the cache has no such feature. */
async function count(scenario: Scenario, setup: Setup): Promise<Row | undefined> {
  const name = `${scenario.name}: ${setup.name}`
  if (scenario.renew && setup.renewAfterMs === undefined) return undefined
  const games = await Promise.all(INTERLEAVINGS.map((interleaving) => game(scenario, setup, interleaving)))
  try {
    if (!games.every(({ caches }) => scenario.possible(caches.reader))) return undefined
    for (const { caches } of games) await scenario.prepare?.(caches)
    if (scenario.renew) await sleep(setup.renewAfterMs! * 1.1 + 10)
    let stale = 0
    for (const { world, caches, interleaving } of games) {
      const values = await scenario.play(world, caches, interleaving)
      if (values.some((value) => value?.version !== NEW)) stale++
    }
    return row(name, stale, `stale of ${games.length}`, setup.judged ? exactly(0) : undefined)
  } catch (error) {
    throw new Error(`${name} could not be played`, { cause: error })
  } finally {
    await settle()
    await Promise.all(games.map(({ close }) => close()))
  }
}

async function game(scenario: Scenario, setup: Setup, interleaving: Interleaving) {
  const world = new World()
  const { caches, close } = await setup.open({
    load: world.load,
    entries: 1000,
    ttlMs: 3_600_000,
    renew: scenario.renew === true,
    tags: scenario.tags === true,
  })
  return { world, caches, close, interleaving }
}
