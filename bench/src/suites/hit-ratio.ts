/** The suite `hit-ratio`: what our eviction policies reach on public traces, beside real Caffeine and others. */

import { lru, type PolicyFactory, s3Fifo, sieve, tinyLfu } from 'millpond/memory'
import { atLeast, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import { replay, replayTable, replayWeighted } from './hit-ratio/replay.ts'
import { isService, type Trace, TraceFolder } from './hit-ratio/traces.ts'

const POLICIES: readonly PolicyFactory[] = [tinyLfu, s3Fifo, sieve, lru]
const CAFFEINE = 'caffeine-3.2.4'
const OTHERS = [CAFFEINE, 'caffeine-HEAD', 'S3-FIFO', 'SIEVE', 'ARC', 'LIRS', 'LRU', 'OPT']
/** Object and byte hit rate of Caffeine 3.2.4 on cdn-adaptsize, bounded to 5 % of the bytes of all objects. */
const CAFFEINE_WEIGHTED = { share: 0.05, objects: 29.94, bytes: 28.3 }

/** One trace at one size: hit rates in percent by name. */
interface Pair {
  readonly trace: Trace
  readonly size: number
  readonly ours: ReadonlyMap<string, number>
  readonly others: Readonly<Record<string, number>>
}

export const suite: Suite = {
  name: 'hit-ratio',
  summary: 'hit rates on public traces, beside real Caffeine, reference policies and the optimum',
  options: { seed: { type: 'string', summary: 'N: seed of the hashes (default 1)' } },
  async run(context: SuiteContext) {
    const folder = new TraceFolder()
    const seed = Number(context.options.seed ?? 1)
    let over = 0
    const pairs: Pair[] = []
    for (const trace of folder.traces) {
      if (context.quick && trace.requests > 1_500_000) continue
      context.progress(trace.name)
      const ids = folder.requests(trace)
      for (const { size, hitRatePercent } of folder.anchors.filter((anchor) => anchor.trace === trace.name)) {
        const ours = new Map<string, number>()
        for (const policy of POLICIES) {
          const replayed = replay(ids, size, policy, seed)
          ours.set(policy.name, replayed.hitPercent)
          over = Math.max(over, replayed.over)
        }
        pairs.push({ trace, size, ours, others: hitRatePercent })
      }
    }
    context.note(detail(pairs))
    context.note(
      'Points are percentage points of hit rate. A mean is over the traces, of the mean over the sizes of each. The hit rates of others are\n' +
        'those of anchors.json beside the traces. Real-service traces: databases, block storage, web, recommendations, files.' +
        (context.quick
          ? '\nQuick: only traces of up to 1.5 million requests, so the means are of other traces than the targets.'
          : ''),
    )
    return [
      ...meanRows(pairs),
      ...pairRows(pairs),
      ...weightedRows(folder, seed),
      ...tableRows(folder, pairs, seed, over),
    ]
  },
}

function meanRows(pairs: readonly Pair[]): Row[] {
  const service = pairs.filter(({ trace }) => isService(trace))
  const ours = (of: readonly Pair[], name: string) => mean(of, (pair) => pair.ours.get(name)!)
  const theirs = (of: readonly Pair[], name: string) => mean(of, (pair) => pair.others[name] ?? Number.NaN)
  return [
    row(`all traces: tinylfu - ${CAFFEINE}`, ours(pairs, 'tinylfu') - theirs(pairs, CAFFEINE), 'points', atLeast(0.8)),
    row(
      `real services: tinylfu - ${CAFFEINE}`,
      ours(service, 'tinylfu') - theirs(service, CAFFEINE),
      'points',
      atLeast(1.7),
    ),
    ...POLICIES.map(({ name }) => row(`all traces: our ${name}`, ours(pairs, name), '%')),
    ...OTHERS.map((name) => row(`all traces: ${name}`, theirs(pairs, name), '%')),
    ...POLICIES.map(({ name }) => row(`real services: our ${name}`, ours(service, name), '%')),
    ...OTHERS.map((name) => row(`real services: ${name}`, theirs(service, name), '%')),
  ]
}

function pairRows(pairs: readonly Pair[]): Row[] {
  const least = (of: readonly Pair[], name: string) =>
    of
      .map((pair) => ({ pair, difference: pair.ours.get('tinylfu')! - pair.others[name]! }))
      .sort((a, b) => a.difference - b.difference)[0]
  const rows: Row[] = []
  const worst = (title: string, of: readonly Pair[], name: string, bound: number): void => {
    const found = least(of, name)
    if (found)
      rows.push(
        row(`${title}: ${found.pair.trace.name}@${found.pair.size}`, found.difference, 'points', atLeast(bound)),
      )
  }
  worst(
    `worst pair against ${CAFFEINE}`,
    pairs.filter(({ trace }) => trace.name !== 'loop'),
    CAFFEINE,
    -2.5,
  )
  worst(
    `worst loop against ${CAFFEINE}`,
    pairs.filter(({ trace }) => trace.name === 'loop'),
    CAFFEINE,
    -4,
  )
  worst('worst pair against LRU', pairs, 'LRU', -3)
  const good = pairs.filter((pair) => pair.ours.get('tinylfu')! >= pair.others.LRU! - 0.5).length
  rows.push(row('pairs at LRU - 0.5 or better', (good / pairs.length) * 100, '% of pairs', atLeast(90)))
  return rows
}

function weightedRows(folder: TraceFolder, seed: number): Row[] {
  const trace = folder.traces.find(({ sizesFile }) => sizesFile !== undefined)
  if (!trace) return []
  const ids = folder.requests(trace)
  const sizes = folder.sizes(trace)
  const bytes = [...new Map([...ids].map((id, at) => [id, sizes[at]!])).values()].reduce((sum, size) => sum + size, 0)
  return POLICIES.flatMap((policy) => {
    const replayed = replayWeighted(ids, sizes, Math.floor(bytes * CAFFEINE_WEIGHTED.share), policy, seed)
    const ours = policy === tinyLfu
    const title = `${trace.name}, 5 % of its bytes, ${policy.name}`
    return [
      row(`${title}: objects`, replayed.hitPercent, '%', ours ? atLeast(CAFFEINE_WEIGHTED.objects) : undefined),
      row(`${title}: bytes`, replayed.bytePercent, '%', ours ? atLeast(CAFFEINE_WEIGHTED.bytes) : undefined),
      ...(ours ? [row(`${title}: most bytes above the bound`, replayed.over, 'bytes', exactly(0))] : []),
    ]
  })
}

/** That the replay over the bare policy tells the truth about the table. */
function tableRows(folder: TraceFolder, pairs: readonly Pair[], seed: number, over: number): Row[] {
  const pair = pairs.find(({ trace, size }) => trace.name === 'oltp' && size === 2000)
  if (!pair) return []
  const replayed = replayTable(folder.requests(pair.trace), pair.size, tinyLfu, seed)
  return [
    row(
      'oltp@2000 through the table with string keys - through the policy',
      replayed.hitPercent - pair.ours.get('tinylfu')!,
      'points',
    ),
    row('most entries above the bound, in all replays', Math.max(over, replayed.over), 'entries', exactly(0)),
  ]
}

function mean(pairs: readonly Pair[], figure: (pair: Pair) => number): number {
  const traces = new Map<string, Pair[]>()
  for (const pair of pairs) traces.set(pair.trace.name, [...(traces.get(pair.trace.name) ?? []), pair])
  return average([...traces.values()].map((of) => average(of.map(figure))))
}

const average = (figures: readonly number[]): number =>
  figures.reduce((sum, figure) => sum + figure, 0) / figures.length

/** Every pair, ours first. */
function detail(pairs: readonly Pair[]): string {
  const names = [...POLICIES.map(({ name }) => `our ${name}`), ...OTHERS]
  const lines = pairs.map(({ trace, size, ours, others }) => [
    `${trace.name}@${size}`,
    ...POLICIES.map(({ name }) => ours.get(name)!.toFixed(2)),
    ...OTHERS.map((name) => others[name]?.toFixed(2) ?? '-'),
  ])
  const head = ['hit rate, %', ...names]
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]!.length)))
  return [head, ...lines]
    .map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    )
    .join('\n')
}
