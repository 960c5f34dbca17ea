/** The suite `get-or-set`: what a hit in memory costs. */

import { alternate, type Contender, closeAll, type Figures } from '../alternate.ts'
import { childContender } from '../child.ts'
import { atLeast, atMost, type Row, row, type Suite, type SuiteContext, type Target } from '../suite.ts'
import type { Argument } from './get-or-set/contender.ts'

const MILLPOND = 'millpond'
const NAMED_PEER = 'layered-loader'
const GET_SYNC = 'millpond, getSync'
const GET_SYNC_PEER = 'layered-loader, getInMemoryOnly'

/** How many times faster Millpond must be; a name without a figure is information. */
const PEERS: Readonly<Record<string, Target | undefined>> = {
  'lru-cache.fetch': undefined,
  'hand-written': undefined,
  'cache-manager': atLeast(5),
  'async-cache-dedupe': undefined,
  'bentocache, serialize: false': undefined,
  bentocache: atLeast(25),
  cacheable: atLeast(30),
}

const VARIANTS: readonly string[] = [
  'millpond, options kept',
  'millpond, no options',
  'millpond, a tag for each key',
  'millpond, in a namespace',
  "millpond, copy: 'reference'",
  "millpond, copy: 'clone'",
  "millpond, copy: 'serialize'",
]

/** What the measures of a contender are called in the rows. */
const MEASURES = { kept: 'one by one', fresh: 'one by one, fresh keys', batch: '64 at a time' } as const

export const suite: Suite = {
  name: 'get-or-set',
  summary: 'a getOrSet hit in memory, with TTL, tags and counters on, beside the peers',
  options: {
    only: { type: 'string', summary: 'TEXT: only Millpond, layered-loader and names that contain it' },
    profile: { type: 'string', summary: 'FOLDER: writes a CPU profile of each contender there' },
  },
  async run(context) {
    const names = [
      MILLPOND,
      NAMED_PEER,
      ...chosen(context, [...Object.keys(PEERS), ...VARIANTS, GET_SYNC, GET_SYNC_PEER]),
    ]
    const contenders: Contender[] = []
    try {
      for (const name of names) contenders.push(await start(name, context))
      const figures = await alternate(contenders, {
        rounds: context.rounds(15),
        warmup: 3,
        progress: (round, rounds) => context.progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`),
      })
      context.note(
        'CPU time of the contender, which runs in a process of its own, pinned to one core where taskset is there;\n' +
          'ratios are taken round by round. Millpond is given its options in each call, as its documentation shows.',
      )
      return [...bounds(figures, names), ...times(figures, names)]
    } finally {
      await closeAll(contenders)
    }
  },
}

function chosen(context: SuiteContext, names: readonly string[]): readonly string[] {
  const only = context.options.only
  return typeof only === 'string' ? names.filter((name) => name.includes(only)) : names
}

function start(name: string, context: SuiteContext): Promise<Contender> {
  context.progress(`starting ${name}`)
  const profile = context.options.profile
  return childContender({
    name,
    module: new URL('./get-or-set/contender.ts', import.meta.url),
    argument: { subject: name, turnMs: context.quick ? 25 : 60 } satisfies Argument,
    nodeFlags: typeof profile === 'string' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [],
  })
}

/** The rows with targets, then how the others compare. */
function bounds(figures: Figures, names: readonly string[]): Row[] {
  const rows = Object.entries(MEASURES).map(([measure, title]) =>
    row(
      `millpond / ${NAMED_PEER}, ${title}`,
      figures.ratio(MILLPOND, NAMED_PEER, measure),
      'times the CPU',
      atMost(1.25),
    ),
  )
  for (const name of names.filter((known) => known in PEERS)) {
    for (const measure of ['kept', 'batch'] as const) {
      const figure = figures.ratio(name, MILLPOND, measure)
      rows.push(row(`${name} / millpond, ${MEASURES[measure]}`, figure, 'times the CPU', PEERS[name]))
    }
  }
  if (names.includes(GET_SYNC) && names.includes(GET_SYNC_PEER)) {
    rows.push(row(`${GET_SYNC} / ${GET_SYNC_PEER}`, figures.ratio(GET_SYNC, GET_SYNC_PEER, 'kept'), 'times the CPU'))
  }
  return rows
}

function times(figures: Figures, names: readonly string[]): Row[] {
  return names.flatMap((name) => {
    const measures =
      name === GET_SYNC || name === GET_SYNC_PEER ? (['kept', 'fresh'] as const) : (['kept', 'fresh', 'batch'] as const)
    return measures.map((measure) =>
      row(`${name}, ${MEASURES[measure]}`, figures.spread(name, measure), 'ns of CPU a hit'),
    )
  })
}
