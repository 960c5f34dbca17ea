/** How long after its acknowledgement a write has evicted what it made old, in another process. */

import { Remote } from '../../remote.ts'
import { quantile, spread } from '../../statistics.ts'
import { atMost, type Row, row, type SuiteContext } from '../../suite.ts'
import type { serve as serveListener } from './listener.ts'
import { makeTable } from './table.ts'
import type { Moments, serve as serveWriter } from './writer.ts'

type Listener = Awaited<ReturnType<typeof serveListener>>
type Writer = Awaited<ReturnType<typeof serveWriter>>

const PER_SECOND = 1000

export async function evictions(context: SuiteContext, url: string): Promise<Row[]> {
  await makeTable(url)
  const writer = await Remote.start<Writer>({ module: new URL('./writer.ts', import.meta.url), argument: { url } })
  const listener = await Remote.start<Listener>({
    module: new URL('./listener.ts', import.meta.url),
    argument: { url },
  })
  const paced = new Delays()
  const flatOut = new Delays()
  try {
    const rounds = context.rounds(9)
    for (let round = -1; round < rounds; round++) {
      context.progress(round < 0 ? 'warming up' : `evictions: round ${round + 1} of ${rounds}`)
      const slow = await writer.call('write', { perSecond: PER_SECOND, forMs: context.quick ? 1000 : 3000 })
      const slowEvicted = await listener.call('evicted')
      const fast = await writer.call('flatOut', { forMs: 1000 })
      const fastEvicted = await listener.call('evicted')
      if (round < 0) continue
      paced.add(slow, slowEvicted)
      flatOut.add(fast, fastEvicted)
    }
  } finally {
    await writer.close()
    await listener.close()
  }
  const rate = spread(flatOut.rates).median
  return [
    row(`commit acknowledged to entry evicted, ${PER_SECOND} writes/s, p50`, spread(paced.p50), 'ms', atMost(0.5)),
    row(`commit acknowledged to entry evicted, ${PER_SECOND} writes/s, p99`, spread(paced.p99), 'ms', atMost(6)),
    row(`the same, 8 connections flat out (${Math.round(rate)} writes/s), p50`, spread(flatOut.p50), 'ms', atMost(1)),
    row('the same, 8 connections flat out, p99', spread(flatOut.p99), 'ms', atMost(40)),
  ]
}

/** Delays of the writes of each round: below zero where the event came before the writer had its answer. */
class Delays {
  readonly p50: number[] = []
  readonly p99: number[] = []
  readonly rates: number[] = []

  add(acknowledged: Moments, evicted: Moments): void {
    const moments = Object.entries(acknowledged)
    const delays = moments.map(([id, at]) => {
      if (evicted[id] === undefined) throw new Error(`the write of row ${id} evicted nothing`)
      return Number(BigInt(evicted[id]) - BigInt(at)) / 1e6
    })
    const times = moments.map(([, at]) => Number(BigInt(at) / 1000n) / 1e6)
    this.rates.push(moments.length / (Math.max(...times) - Math.min(...times)))
    this.p50.push(quantile(delays, 0.5))
    this.p99.push(quantile(delays, 0.99))
  }
}
