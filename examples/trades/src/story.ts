/**
 * The story: what the cache saves, and that it stays fresh, shown on the running app and checked on the way. Everything
 * goes through HTTP, as any client would.
 */
import type { App } from './app.ts'
import { otherClient } from './other-client.ts'
import { bar, median, milliseconds, type Terminal } from './terminal.ts'
import type { NewTrade, Summary } from './trades.ts'

export interface Stage {
  /** The same app twice: with the cache and without. */
  cached: App
  plain: App
  databaseUrl: string
  signal?: AbortSignal
}

/** What one experiment found. */
export interface Finding {
  what: string
  said: string
  /** Whether it went as promised. */
  kept: boolean
}

/** Tells it all. Resolves with whether every promise was kept. */
export async function tellStory(stage: Stage, terminal: Terminal): Promise<boolean> {
  const experiments = [
    () => tenReads(stage, terminal),
    () => stampede(stage),
    () => ownWrite(stage),
    () => foreignWrite(stage),
    () => otherRows(stage),
  ]
  let allKept = true
  for (const experiment of experiments) {
    stage.signal?.throwIfAborted()
    const { what, said, kept } = await experiment()
    const mark = kept ? terminal.paint('green', '✓') : terminal.paint('red', '✗ NOT AS PROMISED:')
    terminal.print(`  ${mark} ${what.padEnd(34)} ${said}`)
    allKept &&= kept
  }
  return allKept
}

/** Ten reads of one key, without the cache and with it. */
async function tenReads({ cached, plain }: Stage, terminal: Terminal): Promise<Finding> {
  const without = await readTenTimes(plain)
  const withCache = await readTenTimes(cached)
  const faster = draw(terminal, without, withCache)
  return {
    what: '10 reads',
    said: `${without.queries} queries without the cache, ${withCache.queries} with it: ${faster} times faster`,
    kept: without.queries === 10 && withCache.queries <= 1 + withCache.unproven,
  }
}

interface TenReads {
  times: number[]
  queries: number
  unproven: number
}

async function readTenTimes(app: App): Promise<TenReads> {
  // Both apps open their connections and compile their code before anything is measured.
  for (let warm = 0; warm < 10; warm++) await fetch(`${app.url}/trades/count`).then((answer) => answer.text())
  const before = app.stats()
  const times: number[] = []
  for (let read = 0; read < 10; read++) times.push((await readSummary(app, 'MILL/buy')).ms)
  return { times, ...since(app, before) }
}

/** Shows both side by side. Returns how many times faster the median is. */
function draw(terminal: Terminal, without: TenReads, withCache: TenReads): number {
  const slowest = Math.max(...without.times, ...withCache.times)
  const cell = (ms: number, colour: 'yellow' | 'cyan'): string =>
    terminal.paint(colour, bar(ms / slowest, 22).padEnd(23)) + milliseconds(ms).padStart(9)
  terminal.print(`  GET /trades/MILL/buy   ${'without the cache'.padEnd(36)}with the cache`)
  without.times.forEach((ms, read) => {
    terminal.print(`${String(read + 1).padStart(8)}  ${cell(ms, 'yellow')}   ${cell(withCache.times[read]!, 'cyan')}`)
  })
  const [slow, fast] = [median(without.times), median(withCache.times)]
  terminal.print(`  median  ${milliseconds(slow).padStart(32)}   ${milliseconds(fast).padStart(32)}`, '')
  return Math.round(slow / fast)
}

/** Many ask at once for what nobody has asked for yet. */
async function stampede({ cached }: Stage): Promise<Finding> {
  const everybody = Array.from({ length: 1000 })
  // The connections are open before: all requests are on their way before the first answer.
  await Promise.all(everybody.map(() => fetch(`${cached.url}/stats`).then((answer) => answer.text())))
  const before = cached.stats()
  const startedMs = performance.now()
  const answers = await Promise.all(everybody.map(() => readSummary(cached, 'POND/sell')))
  const ms = performance.now() - startedMs
  const { queries, unproven, joinedLoads } = since(cached, before)
  const isOne = answers.every(({ summary }) => summary.trades === answers[0]!.summary.trades)
  return {
    what: '1,000 requests at once, cold key',
    said: `${queries} ${queries === 1 ? 'query' : 'queries'}, ${joinedLoads} waited for it, ${milliseconds(ms)} in all`,
    kept: isOne && queries <= 1 + unproven,
  }
}

const trade: NewTrade = { symbol: 'MILL', side: 'buy', price: 42.5, quantity: 100 }

/** A write through the app, then a read. */
async function ownWrite({ cached }: Stage): Promise<Finding> {
  const { summary } = await readSummary(cached, 'MILL/buy')
  const body = JSON.stringify(trade)
  const answer = await fetch(`${cached.url}/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (answer.status !== 201) throw new Error(`POST /trades answered ${answer.status}: ${await answer.text()}`)
  return { what: 'POST /trades, then a read', ...(await readUntilFresh(cached, summary.trades, performance.now(), 0)) }
}

/** A write that the app is told of by the database alone. */
async function foreignWrite({ cached, databaseUrl }: Stage): Promise<Finding> {
  const client = otherClient()
  const { summary } = await readSummary(cached, 'MILL/buy')
  const committedMs = await client.commit(databaseUrl, insertSql(trade))
  const found = await readUntilFresh(cached, summary.trades, committedMs, cached.maxStalenessMs)
  return { what: `INSERT by ${client.name}, then a read`, ...found }
}

/** A write of other rows of the table: the answer that it does not change stays. */
async function otherRows({ cached, databaseUrl }: Stage): Promise<Finding> {
  const client = otherClient()
  const { summary } = await readSummary(cached, 'POND/buy')
  await readSummary(cached, 'MILL/buy')
  const before = cached.stats()
  const committedMs = await client.commit(databaseUrl, insertSql({ ...trade, symbol: 'POND' }))
  const changed = await readUntilFresh(cached, summary.trades, committedMs, cached.maxStalenessMs, 'POND/buy')
  const { from } = await readSummary(cached, 'MILL/buy')
  const { unproven } = since(cached, before)
  return {
    what: 'INSERT of another symbol',
    said: `${changed.said}; the first one is answered from the ${from}`,
    kept: changed.kept && (from === 'cache' || unproven > 0),
  }
}

export function insertSql({ symbol, side, price, quantity }: NewTrade): string {
  return `INSERT INTO trades (symbol, side, price, quantity) VALUES ('${symbol}', '${side}', ${price}, ${quantity})`
}

/** Reads until the new trade shows. A read that begins later than `staleMsMax` after the commit has to show it. */
async function readUntilFresh(
  app: App,
  tradesBefore: number,
  committedMs: number,
  staleMsMax: number,
  key = 'MILL/buy',
): Promise<Omit<Finding, 'what'>> {
  for (let staleReads = 0; ; staleReads++) {
    const sinceCommitMs = performance.now() - committedMs
    const { summary, ms } = await readSummary(app, key)
    if (summary.trades > tradesBefore) {
      const freshMs = performance.now() - committedMs
      const stale = staleReads === 0 ? '' : `, ${staleReads} stale reads before`
      return {
        said: `fresh after ${milliseconds(freshMs)} (the read itself: ${milliseconds(ms)})${stale}`,
        kept: true,
      }
    }
    if (sinceCommitMs >= staleMsMax) {
      return {
        said: `stale ${milliseconds(sinceCommitMs)} after the commit, ${staleMsMax} ms are allowed`,
        kept: false,
      }
    }
  }
}

interface Read {
  summary: Summary
  ms: number
  /** `cache` or `database`. */
  from: string | null
}

async function readSummary(app: App, key: string): Promise<Read> {
  const startedMs = performance.now()
  const answer = await fetch(`${app.url}/trades/${key}`)
  if (!answer.ok) throw new Error(`GET /trades/${key} answered ${answer.status}: ${await answer.text()}`)
  const summary = (await answer.json()) as Summary
  return { summary, ms: performance.now() - startedMs, from: answer.headers.get('x-served-from') }
}

/** Counters of the app since an earlier look. */
function since(app: App, before: ReturnType<App['stats']>): { queries: number; unproven: number; joinedLoads: number } {
  const now = app.stats()
  return {
    queries: now.queries - before.queries,
    unproven: now.unproven - before.unproven,
    joinedLoads: now.joinedLoads - before.joinedLoads,
  }
}
