/**
 * A differential fuzz: after every write each cached answer is what the server says now (none is stale), and answers that the
 * write did not change were mostly kept. The numbers are drawn from a seed, which a failure prints.
 */
import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MongoWorld, startMongoWorld } from '../../../../../../tools/servers/mongo-world.ts'
import { type Random, seededRandom } from '../../../core/random.ts'
import { createCache } from '../../../index.ts'
import { cachedCollection, mongoFeed } from '../index.ts'

interface Quote {
  _id: number
  symbol?: string
  price?: number | null
  at: Date
  quotes: { code: string; n: number }[]
}

const kinds = ['equality', 'range', 'choice'] as const

/** At least this share of the answers that a write did not change stays, by kind of read. */
const KEPT_MIN = { equality: 0.98, range: 0.9, choice: 0.9 }

const world: MongoWorld = await startMongoWorld()
let client: MongoClient
let writer: MongoClient
beforeAll(() => {
  client = new MongoClient(world.url)
  writer = new MongoClient(world.url)
})
afterAll(async () => {
  await client.close()
  await writer.close()
  await world.close()
})

type Reads = Record<string, (quotes: Collection<Quote>) => Promise<unknown>>

const equality: Reads = {
  symbol: (quotes) => quotes.find({ symbol: 'S1' }).toArray(),
  'symbol, projected': (quotes) => quotes.find({ symbol: 'S2' }, { projection: { price: 1 } }).toArray(),
  'symbol, counted': (quotes) => quotes.countDocuments({ symbol: 'S3' }),
  'one document': (quotes) => quotes.findOne({ _id: 7 }),
  'some documents': (quotes) => quotes.find({ _id: { $in: [1, 2, 3] } }).toArray(),
  'symbol and code': (quotes) => quotes.find({ symbol: 'S1', 'quotes.code': 'A' }).toArray(),
  'unwound, grouped and pushed': (quotes) =>
    quotes
      .aggregate([
        { $unwind: '$quotes' },
        { $match: { symbol: 'S4', 'quotes.code': 'B' } },
        { $sort: { _id: 1 } },
        { $group: { _id: '$symbol', quotes: { $push: '$quotes' } } },
      ])
      .toArray(),
}

/** What only the package `mingo` can test. */
const choice: Reads = {
  'one or the other': (quotes) => quotes.find({ $or: [{ symbol: 'S1' }, { price: { $gt: 95 } }] }).toArray(),
  'an element with both': (quotes) => quotes.find({ quotes: { $elemMatch: { code: 'A', n: { $gt: 6 } } } }).toArray(),
  'without a price': (quotes) => quotes.countDocuments({ price: null, symbol: { $ne: 'S2' } }),
  'neither, in a pipeline': (quotes) =>
    quotes.aggregate([{ $match: { $nor: [{ price: { $gte: 5 } }, { price: null }] } }, { $count: 'n' }]).toArray(),
}

const range: Reads = {
  cheap: (quotes) => quotes.find({ price: { $lt: 20 } }).toArray(),
  'the second page': (quotes) =>
    quotes
      .find({ price: { $gte: 80 } })
      .sort({ price: 1, _id: 1 })
      .skip(2)
      .limit(3)
      .toArray(),
  'a symbol in a range': (quotes) => quotes.countDocuments({ symbol: 'S5', price: { $gt: 40, $lte: 60 } }),
  'since a date': (quotes) =>
    quotes
      .find({ at: { $gt: new Date(9000) } })
      .sort({ at: 1, _id: 1 })
      .toArray(),
}

const READS = { equality, range, choice }

test.each([
  [300, true],
  [100, false],
])(
  `no answer is stale after %d writes, images kept: %s (${world.name})`,
  async (writes, images) => {
    const seed = Number(process.env.MILLPOND_SEED ?? 42)
    const random = seededRandom(seed)
    const db = writer.db()
    await db.dropCollection('quotes')
    await db.createCollection('quotes', { changeStreamPreAndPostImages: { enabled: images } })
    const theirs = db.collection<Quote>('quotes')
    await theirs.insertMany(Array.from({ length: 40 }, (_, _id) => randomQuote(random, _id)))
    const feed = mongoFeed({ client, collections: ['quotes'], maxStaleness: 60_000, heartbeat: 20 })
    const cache = createCache({ name: 'precision', feed })
    const cached = cachedCollection(client.db().collection<Quote>('quotes'), { cache, feed })
    await feed.ready()
    const kept = { equality: [0, 0], range: [0, 0], choice: [0, 0] }
    for (let round = 0; round < writes; round++) {
      const before = await answers(cached)
      const misses = cache.stats().misses
      const said = await randomWrite(random, theirs)
      expect(await feed.reached(await feed.now(), 10_000)).toBe(true)
      const truth = await answers(theirs)
      let asked = misses
      for (const kind of kinds) {
        for (const [name, read] of Object.entries(READS[kind])) {
          const answer = JSON.stringify(await read(cached))
          expect(answer, `seed ${seed}, round ${round}: ${name} is stale after ${said}`).toBe(truth[name])
          const isKept = cache.stats().misses === asked
          asked = cache.stats().misses
          if (before[name] !== truth[name]) continue
          kept[kind][1]!++
          if (isKept) kept[kind][0]!++
        }
      }
    }
    await cache.close()
    await feed.close()
    const share = Object.fromEntries(kinds.map((kind) => [kind, kept[kind][0]! / kept[kind][1]!]))
    console.log(`${world.name}, images ${images}: kept of what did not change: ${JSON.stringify(share)}`)
    if (!images) return
    for (const kind of kinds) expect(share[kind], `${kind}, seed ${seed}`).toBeGreaterThanOrEqual(KEPT_MIN[kind])
  },
  120_000,
)

async function answers(quotes: Collection<Quote>): Promise<Record<string, string>> {
  const entries = Object.entries({ ...equality, ...range, ...choice })
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, read]) => [name, JSON.stringify(await read(quotes))])),
  ) as Record<string, string>
}

async function randomWrite(random: Random, quotes: Collection<Quote>): Promise<string> {
  const _id = Math.floor(random() * 50)
  const quote = randomQuote(random, _id)
  const kind = Math.floor(random() * 6)
  if (kind === 0) await quotes.deleteOne({ _id })
  else if (kind === 1) await quotes.replaceOne({ _id }, quote, { upsert: true })
  else if (kind === 2) await quotes.updateOne({ _id }, { $set: { price: quote.price ?? 1 } })
  else if (kind === 3) await quotes.updateOne({ _id }, { $set: { symbol: quote.symbol ?? 'S1', at: quote.at } })
  else if (kind === 4) await quotes.updateOne({ _id }, { $push: { quotes: quote.quotes[0] ?? { code: 'A', n: 1 } } })
  else await quotes.updateMany({ symbol: quote.symbol ?? 'S1' }, { $inc: { price: 1 } })
  return `write ${kind} of ${JSON.stringify(quote)}`
}

function randomQuote(random: Random, _id: number): Quote {
  const whole = (below: number) => Math.floor(random() * below)
  return {
    _id,
    ...(random() < 0.95 && { symbol: `S${whole(8)}` }),
    ...(random() < 0.95 && { price: whole(100) }),
    at: new Date(whole(10_000)),
    quotes: Array.from({ length: whole(3) }, () => ({ code: 'ABC'[whole(3)]!, n: whole(9) })),
  }
}
