/** A process with a cache: a client, a feed, and the same collection cached for the primary and for the secondaries. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cache, createCache } from 'millpond'
import { type CachedCollection, cachedCollection, documentTag, type MongoFeed, mongoFeed } from 'millpond/mongodb'
import { type Collection, MongoClient } from 'mongodb'
import { until } from '../../../tools/servers/until.ts'
import { nowMs, type Read } from '../fresh/history.ts'
import { cacheOf, clientOf, feedOf, type Mutant } from './mutants.ts'
import type { RaceRecord } from './race.ts'

export interface RaceRow {
  readonly _id: number
  readonly group: number
  readonly version: number
}

const BOUND_MS = 250
const HEARTBEAT_MS = 60
/** A process is live again sooner, once all faults have healed, also on a machine that has little time for it. */
const LIVE_MS = 45_000

/** A load of the application's own that takes so long is given up. */
const LOAD_MS = 5000

/** Makes the rows anew. */
export async function settleRows(client: MongoClient, keys: number, groups: number): Promise<void> {
  const rows = await client.db().createCollection<RaceRow>('rows', { changeStreamPreAndPostImages: { enabled: true } })
  await rows.insertMany(Array.from({ length: keys }, (_, _id) => ({ _id, group: _id % groups, version: 0 })))
}

type Ask = (rows: Collection<RaceRow>) => Promise<unknown>

/** Questions whose answers hold several rows. */
export const questions = {
  group:
    (group: number): Ask =>
    (rows) =>
      rows.find({ group }).sort({ _id: 1 }).toArray(),
  pushed:
    (group: number): Ask =>
    (rows) =>
      rows
        .aggregate([
          { $match: { group } },
          { $sort: { _id: 1 } },
          { $group: { _id: '$group', rows: { $push: { _id: '$_id', version: '$version' } } } },
        ])
        .toArray(),
  since:
    (version: number): Ask =>
    (rows) =>
      rows.countDocuments({ version: { $gt: version } }),
}

/** Whether it is so within a while. */
function holds(isSo: () => Promise<boolean>): Promise<boolean> {
  return until('a process is well', isSo, LIVE_MS).then(
    () => true,
    () => false,
  )
}

export class CacheProcess {
  readonly name: string
  readonly feed: MongoFeed
  readonly cache: Cache
  readonly rows: Collection<RaceRow> & CachedCollection
  readonly onSecondaries: Collection<RaceRow> & CachedCollection
  /** Reads that were sent to the server. */
  sent = 0
  private readonly client: MongoClient
  private readonly plain: Collection<RaceRow>

  private readonly boundMs: number

  constructor(name: string, url: string, mutant: Mutant | undefined, boundMs: number = BOUND_MS) {
    this.name = name
    this.boundMs = boundMs
    this.client = new MongoClient(url, { monitorCommands: true })
    this.client.on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'find' || (commandName === 'aggregate' && !command.pipeline[0]?.$changeStream)) this.sent++
    })
    this.plain = this.client.db().collection<RaceRow>('rows')
    const seen = clientOf(mutant, this.client)
    this.feed = mongoFeed({ client: seen, collections: ['rows'], maxStaleness: boundMs, heartbeat: HEARTBEAT_MS })
    this.cache = createCache({ name, feed: this.feed })
    const feed = feedOf(mutant, this.feed)
    const cache = cacheOf(mutant, this.cache, this.feed)
    const options = { cache, feed, patience: 2000 }
    this.rows = cachedCollection(this.plain, options)
    const lagging = this.client.db().collection<RaceRow>('rows', { readPreference: 'secondary' })
    this.onSecondaries = cachedCollection(lagging, { ...options, name: 'secondaries' })
  }

  async start(): Promise<void> {
    await this.feed.ready()
  }

  /** A loader of the application's own, from the primary. */
  load(key: number): Promise<RaceRow | null> {
    // The driver loses commands whose connection closes while they are sent (see lost-connections.ts): an application bounds its loads.
    const lost = new Error(`no answer within ${LOAD_MS} ms`)
    const late = () => sleep(LOAD_MS, undefined, { ref: false }).then(() => Promise.reject(lost))
    const load = () => Promise.race([this.plain.findOne({ _id: key }), late()])
    return this.cache.getOrSet(`row:${key}`, load, { tags: [documentTag('rows', key)], ttl: 'forever' })
  }

  /** Asks everything once more, twice, and compares with what the server says. Nothing may change meanwhile. */
  async faultsAtRest(truth: Collection<RaceRow>, { reads }: RaceRecord): Promise<string[]> {
    if (!(await holds(() => this.isUpToDate())))
      return [`${this.name} is not live again: ${this.feed.status().bypassReason}`]
    const wrong: string[] = []
    for (const row of await truth.find().toArray()) {
      for (const again of [row._id, row._id]) {
        const beganMs = nowMs()
        const found = [
          await this.rows.findOne({ _id: again }),
          await this.onSecondaries.findOne({ _id: again }),
          await this.load(again),
        ]
        for (const one of found) reads.push(this.readOf(one!, { mode: 'rest', beganMs, isHit: false }))
      }
    }
    const versions = (await truth.find().toArray()).map(({ version }) => version)
    const asked = [0, 1, 2, 3].flatMap((group) => [questions.group(group), questions.pushed(group)])
    for (const ask of [...asked, ...versions.map(questions.since)]) {
      const right = JSON.stringify(await ask(truth))
      for (const rows of [this.rows, this.rows, this.onSecondaries]) {
        const answer = JSON.stringify(await ask(rows))
        if (answer !== right) wrong.push(`${this.name} answers ${answer}, the server ${right}`)
      }
    }
    if (!(await holds(() => this.isKept()))) wrong.push(`${this.name} keeps nothing`)
    return wrong
  }

  /** Whether the feed is fresh, and has told all there is. */
  async isUpToDate(): Promise<boolean> {
    const { feed } = this
    const now = await feed.now().catch(() => undefined)
    return now !== undefined && (await feed.reached(now, 1000)) && feed.status().state === 'live'
  }

  private async isKept(): Promise<boolean> {
    await this.rows.findOne({ _id: 0 })
    const { sent } = this
    await this.rows.findOne({ _id: 0 })
    return this.sent === sent
  }

  readOf(row: RaceRow, more: Pick<Read, 'mode' | 'beganMs' | 'isHit'>) {
    return {
      by: this.name,
      via: 'pool',
      key: row._id,
      version: row.version,
      endedMs: nowMs(),
      boundMs: this.boundMs,
      ...more,
    } as const
  }

  async close(): Promise<void> {
    await this.cache.close()
    await this.feed.close()
    await this.client.close()
  }
}
