/** The suite `stampede`: how often a loader is called when many ask at once, and what they get when it fails. */

import { setTimeout as sleep } from 'node:timers/promises'
import { alternate, type Contender, type Figures } from '../alternate.ts'
import { cacheableThrowing } from '../peers/cacheable.ts'
import { peers } from '../peers/index.ts'
import { millpond } from '../peers/millpond.ts'
import type { Peer } from '../peers/peer.ts'
import { type Trade, trade } from '../peers/trade.ts'
import { atMost, exactly, type Row, row, type Suite, type Target } from '../suite.ts'

const MISSES = 1000
const WAITERS = 100
const LOAD_MS = 20
const OPTIONS = { entries: 10_000, ttlMs: 3_600_000 } as const

/** What is measured of each contender, how it is worded, and what Millpond must reach. */
const MEASURES: readonly { measure: string; title: string; unit: string; target: Target }[] = [
  {
    measure: 'loads',
    title: `loads for ${MISSES.toLocaleString('en')} concurrent misses`,
    unit: 'loads',
    target: exactly(1),
  },
  { measure: 'failCalls', title: `calls of a failing loader, ${WAITERS} waiters`, unit: 'calls', target: exactly(1) },
  { measure: 'sameError', title: 'waiters that got the original error', unit: 'waiters', target: exactly(WAITERS) },
  {
    measure: 'failTime',
    title: "time of the slowest waiter / the failing loader's",
    unit: 'times',
    target: atMost(1.2),
  },
]

export const suite: Suite = {
  name: 'stampede',
  summary: 'loader calls for 1,000 concurrent misses, and for a failing loader with 100 waiters',
  async run(context) {
    const all = [millpond, ...peers, cacheableThrowing]
    const figures = await alternate(all.map(contender), { rounds: context.rounds(9), warmup: 2 })
    context.note(
      `Each turn makes a new cache. The loader takes ${LOAD_MS} ms by its timer; what it really took is what the time of the\n` +
        'waiters is divided by. Counts are the worst of all rounds. An error counts as the original only if it is the same object.',
    )
    return MEASURES.flatMap((measure) => all.map(({ name }) => measureRow(figures, name, measure)))
  },
}

function measureRow(figures: Figures, name: string, { measure, title, unit, target }: (typeof MEASURES)[number]): Row {
  const bound = name === millpond.name ? target : undefined
  if (measure === 'failTime') return row(`${title}: ${name}`, figures.spread(name, measure), unit, bound)
  const counts = figures.of(name, measure)
  const worst = measure === 'sameError' ? Math.min(...counts) : Math.max(...counts)
  return row(`${title}: ${name}`, worst, unit, bound)
}

function contender(peer: Peer): Contender {
  return { name: peer.name, turn: async () => ({ ...(await concurrentMisses(peer)), ...(await failingLoader(peer)) }) }
}

async function concurrentMisses(peer: Peer): Promise<{ loads: number }> {
  let loads = 0
  const load = async (key: string): Promise<Trade> => {
    loads++
    await sleep(LOAD_MS)
    return trade(key)
  }
  const cache = await peer.open({ ...OPTIONS, load })
  const values = await Promise.all(Array.from({ length: MISSES }, () => cache.get('cold')))
  await cache.close()
  if (values.some((value) => value.id !== 'cold')) throw new Error(`${peer.name} handed out a wrong value`)
  return { loads }
}

async function failingLoader(peer: Peer): Promise<Record<'failCalls' | 'sameError' | 'failTime', number>> {
  const failure = new TypeError('the database is down')
  let calls = 0
  let loaderMs = 0
  const load = async (): Promise<Trade> => {
    const startMs = performance.now()
    calls++
    await sleep(LOAD_MS)
    // The first call: a library that calls again for each waiter is compared with what one call takes.
    loaderMs ||= performance.now() - startMs
    throw failure
  }
  const cache = await peer.open({ ...OPTIONS, load })
  const startMs = performance.now()
  const outcomes = await Promise.allSettled(Array.from({ length: WAITERS }, () => cache.get('broken')))
  const waitedMs = performance.now() - startMs
  await cache.close()
  const sameError = outcomes.filter((outcome) => 'reason' in outcome && outcome.reason === failure).length
  return { failCalls: calls, sameError, failTime: waitedMs / loaderMs }
}
