/** Reads of a row: from the database, kept for a time, and kept until the feed tells of a change, in three strengths. */

import { alternate, type Contender, closeAll, type Figures } from '../../alternate.ts'
import { childContender } from '../../child.ts'
import { atLeast, atMost, exactly, type Row, row, type SuiteContext } from '../../suite.ts'
import type { Argument } from './reader.ts'
import { makeTable } from './table.ts'
import { TTL_MS, ways } from './ways.ts'

const BOUND_MS = 250

export async function reads(context: SuiteContext, url: string): Promise<Row[]> {
  await makeTable(url)
  const contenders: Contender[] = []
  try {
    for (const way of Object.keys(ways)) {
      const argument: Argument = { way, url, partMs: context.quick ? 200 : 700 }
      contenders.push(await childContender({ name: way, module: new URL('./reader.ts', import.meta.url), argument }))
    }
    const figures = await alternate(contenders, {
      rounds: context.rounds(9),
      warmup: 2,
      progress: (round, rounds) =>
        context.progress(round < 0 ? 'reads: warming up' : `reads: round ${round + 1} of ${rounds}`),
    })
    return report(figures)
  } finally {
    await closeAll(contenders)
  }
}

function report(figures: Figures): Row[] {
  const names = Object.keys(ways)
  const strict = names.filter((name) => name.endsWith('strict'))
  const bounded = names.filter((name) => name.endsWith('bounded'))
  const others = names.filter((name) => !strict.includes(name) && !bounded.includes(name))
  return [
    ...bounded.map((name) => row(`hits, one by one: ${name}`, figures.spread(name, 'hits'), 'reads/s', atLeast(2e6))),
    ...strict.map((name) => row(`alone, p50: ${name}`, figures.spread(name, 'alone'), 'us', atMost(100))),
    ...strict.map((name) =>
      row(`128 readers, 200 writes/s: ${name}`, figures.spread(name, 'rate'), 'reads/s', atLeast(3e5)),
    ),
    ...bounded.map((name) => row(`128 readers, 200 writes/s: ${name}`, figures.spread(name, 'rate'), 'reads/s')),
    ...others.flatMap((name) => [
      row(`alone, p50: ${name}`, figures.spread(name, 'alone'), 'us'),
      row(`128 readers, 200 writes/s: ${name}`, figures.spread(name, 'rate'), 'reads/s'),
    ]),
    ...names.map((name) => row(`stale reads: ${titleOf(name)}`, figures.spread(name, 'stale'), '%', boundOf(name))),
    ...names.map((name) =>
      row(
        `oldest stale read of all rounds: ${titleOf(name)}`,
        Math.max(...figures.of(name, 'oldestMs')),
        'ms',
        name.endsWith('bounded') ? atMost(BOUND_MS) : boundOf(name),
      ),
    ),
  ]
}

function titleOf(name: string): string {
  return name === 'TTL only' ? `${name}, ${TTL_MS} ms` : name
}

function boundOf(name: string) {
  return name.endsWith('strict') ? exactly(0) : undefined
}
