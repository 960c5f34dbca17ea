/** Asks for quotes while somebody else writes them, and says what was asked of the server. */
import { type Collection, MongoClient } from 'mongodb'
import { cacheShares, quotesOf, type Share } from './quotes.ts'

const SYMBOLS = 300
const QUOTES = 50
const READS = 1000

/** Tells the story line by line. Resolves with whether all went as promised. The collection `shares` is made anew. */
export async function tellStory(url: string, print: (line: string) => void): Promise<boolean> {
  // The writer is somebody else: another connection, which knows of no cache.
  const reader = new MongoClient(url, { monitorCommands: true })
  const writer = new MongoClient(url)
  let questions = 0
  reader.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'aggregate' && command.aggregate === 'shares' && !command.pipeline[0].$changeStream) questions++
  })
  try {
    const theirs = await makeShares(writer)
    await using cached = await cacheShares(reader)
    const ask = () => quotesOf(cached.shares, 'AMZN', 'NMS')
    const asked = async (run: () => Promise<unknown>): Promise<number> => {
      const before = questions
      await run()
      return questions - before
    }
    const first = await asked(() => Promise.all(Array.from({ length: READS }, ask)))
    print(`${READS} readers ask for the same quotes at once: the server is asked ${times(first)}`)

    await theirs.updateOne({ _id: 'SYM7' }, { $push: { quotes: { code: 'NMS', price: 7 } } })
    await cached.caughtUp()
    const unaffected = await asked(ask)
    print(`somebody adds a quote of another symbol: the server is asked ${times(unaffected)}`)

    const count = (await ask()).length
    await theirs.updateOne({ _id: 'AMZN' }, { $push: { quotes: { code: 'NMS', price: 99 } } })
    await cached.caughtUp()
    const affected = await asked(async () => {
      const now = await ask()
      print(`somebody adds a quote of this one: it is there (${count} quotes, now ${now.length})`)
      if (now.length !== count + 1) throw new Error('the new quote is missing')
    })
    print(`and for that the server was asked ${times(affected)}`)
    return first === 1 && unaffected === 0 && affected === 1
  } finally {
    await reader.close()
    await writer.close()
  }
}

/** Documents before and after a change are kept, so that a change of one symbol leaves the answers for all others. */
async function makeShares(client: MongoClient): Promise<Collection<Share>> {
  const db = client.db()
  await db.dropCollection('shares')
  const shares = await db.createCollection<Share>('shares', { changeStreamPreAndPostImages: { enabled: true } })
  const symbols = ['AMZN', ...Array.from({ length: SYMBOLS }, (_, at) => `SYM${at}`)]
  const quotes = Array.from({ length: QUOTES }, (_, at) => ({ code: at % 2 === 0 ? 'NMS' : 'NYQ', price: at }))
  await shares.insertMany(symbols.map((symbol) => ({ _id: symbol, symbol, quotes })))
  return shares
}

function times(count: number): string {
  if (count === 0) return 'not at all'
  return count === 1 ? 'once' : `${count} times`
}
