import type { Feed, Position } from '../core/feed.ts'
import { type ContractCheck, holds, same } from './contracts.ts'

/** What the checks of a feed need: a database with a table that the feed tells of, and hands to interrupt it. */
export interface FeedSubject {
  /** A feed that is whole, or will be by `caughtUp`. */
  readonly feed: Feed
  /** The tag of the table. */
  readonly table: string
  /** The tag of one of its rows. */
  readonly rowTag: (row: number) => string
  /** Commits a change of one row; resolves when the database has confirmed it. Returns its position. */
  commit(row: number): Promise<Position>
  /** Resolves when the feed has told, and settled, all that was committed. */
  caughtUp(): Promise<void>
  /** Breaks the feed's connection for a moment; resolves when the feed has noticed. It is whole again by `caughtUp`. */
  interrupt(): Promise<void>
  /** The feed's clock, in milliseconds. */
  nowMs(): number
}

/** What a listener was told, one line each. */
type Told = { what: 'invalidate' | 'settle' | 'reset'; tags: readonly string[] }[]

const checks: Record<string, (subject: FeedSubject) => Promise<void>> = {
  'it says what it covers, and what voids that in bulk': async ({ feed, table, rowTag }) => {
    const bulk = feed.covers(table)
    holds(typeof bulk === 'string', 'the table is covered')
    same(feed.covers(rowTag(1)), bulk, 'the bulk tag of a row')
    same(feed.covers('no_such_table_of_this_feed:1'), undefined, 'a tag that is not covered')
  },

  'a commit is announced by the tags of its table and row, and settled by the same': async (subject) => {
    const { table, rowTag } = subject
    const { told, stop } = await listen(subject)
    await subject.commit(1)
    await subject.caughtUp()
    stop()
    const announced = told.filter(({ what }) => what === 'invalidate')
    const tags = announced.flatMap((each) => each.tags)
    holds(tags.includes(table) && tags.includes(rowTag(1)), `announced: ${tags.join(', ')}`)
    holds(!tags.includes(rowTag(2)), 'other rows are not announced')
    same(balanceOf(told), {}, 'announced and not settled')
  },

  'what is settled was announced before, and all is settled in the end': async (subject) => {
    const { told, stop } = await listen(subject)
    for (const row of [1, 2, 1, 3]) await subject.commit(row)
    await subject.caughtUp()
    stop()
    const open = new Map<string, number>()
    for (const { what, tags } of told) {
      for (const tag of tags) {
        open.set(tag, (open.get(tag) ?? 0) + (what === 'invalidate' ? 1 : -1))
        holds(open.get(tag)! >= 0, `${tag} is settled without having been announced`)
      }
    }
    same(balanceOf(told), {}, 'announced and not settled')
  },

  'commits are announced in their order': async (subject) => {
    const { rowTag } = subject
    const { told, stop } = await listen(subject)
    const rows = [5, 6, 7, 8]
    for (const row of rows) await subject.commit(row)
    await subject.caughtUp()
    stop()
    const announced = told.filter(({ what }) => what === 'invalidate').flatMap(({ tags }) => tags)
    const places = rows.map((row) => announced.indexOf(rowTag(row)))
    same([...places].sort((one, other) => one - other), places, 'the places of the rows') // biome-ignore format: one line
    holds(!places.includes(-1), 'every row is announced')
  },

  'several listeners are told, each until it leaves': async (subject) => {
    const [staying, leaving] = [await listen(subject), await listen(subject)]
    leaving.stop()
    leaving.told.length = 0
    await subject.commit(1)
    await subject.caughtUp()
    staying.stop()
    holds(staying.told.length > 0, 'the one who stays is told')
    same(leaving.told, [], 'what the one who left is told')
  },

  'a position is included once it was told, and none of another history': async (subject) => {
    const { stop } = await listen(subject)
    const position = await subject.commit(1)
    await subject.caughtUp()
    holds(subject.feed.includes(position), 'the position of a commit that was told')
    holds(!subject.feed.includes('no position at all'), 'a position of another history')
    stop()
  },

  'while it is whole it proves freshness, and never of the future': async (subject) => {
    const { stop } = await listen(subject)
    await subject.caughtUp()
    const freshAsOfMs = subject.feed.freshAsOfMs()
    holds(Number.isFinite(freshAsOfMs), `freshAsOfMs: ${freshAsOfMs}`)
    holds(freshAsOfMs <= subject.nowMs(), 'freshAsOfMs is not later than now')
    holds(subject.feed.maxStalenessMs > 0, 'maxStalenessMs is a bound')
    stop()
  },

  'settled resolves at once while nothing is announced': async (subject) => {
    const { stop } = await listen(subject)
    await subject.caughtUp()
    await subject.feed.settled(60_000)
    stop()
  },

  'an interruption is a new epoch: reset, and what is told afterwards settles by itself': async (subject) => {
    const { told, stop } = await listen(subject)
    await subject.interrupt()
    holds(
      told.some(({ what }) => what === 'reset'),
      'listeners are told of the new epoch',
    )
    await subject.caughtUp()
    holds(Number.isFinite(subject.feed.freshAsOfMs()), 'it is whole again')
    told.length = 0
    await subject.commit(4)
    await subject.caughtUp()
    stop()
    holds(
      told.some(({ what, tags }) => what === 'invalidate' && tags.includes(subject.rowTag(4))),
      'commits after the interruption are announced',
    )
    same(balanceOf(told), {}, 'announced and not settled')
  },
}

/** What every `Feed` has to do. The checks change rows 1 to 8 of the table. The feed is not closed. */
export const feedContract: readonly ContractCheck<FeedSubject>[] = Object.entries(checks).map(([name, run]) => ({
  name,
  run,
}))

async function listen(subject: FeedSubject): Promise<{ told: Told; stop: () => void }> {
  const told: Told = []
  const stop = subject.feed.subscribe({
    invalidate: (tags) => void told.push({ what: 'invalidate', tags }),
    settle: (tags) => void told.push({ what: 'settle', tags }),
    reset: (reason) => void told.push({ what: 'reset', tags: [reason] }),
  })
  await subject.caughtUp()
  told.length = 0
  return { told, stop }
}

/** How often each tag was announced more often than settled. A reset begins anew. */
function balanceOf(told: Told): Record<string, number> {
  let open = new Map<string, number>()
  for (const { what, tags } of told) {
    if (what === 'reset') open = new Map()
    else for (const tag of tags) open.set(tag, (open.get(tag) ?? 0) + (what === 'invalidate' ? 1 : -1))
  }
  return Object.fromEntries([...open].filter(([, count]) => count !== 0))
}
