import { afterAll, beforeAll, expect, test } from 'vitest'
import { ITEM_OVERHEAD } from '../../../packages/millpond-server/src/protocols/memcached/items.ts'
import { type RunningServer, startServer } from '../../../packages/millpond-server/src/server.ts'
import { type MemcachedServer, startMemcached } from '../../../tools/servers/memcached.ts'
import { Random } from '../redis/random.ts'
import { binaryDifference, type CasNumbers, difference } from './difference.ts'
import { RawClient } from './raw-client.ts'
import { type FuzzRequest, frame, randomBinary, randomText } from './requests.ts'

/** `MILLPOND_FUZZ=1000000` runs more; `MILLPOND_SEED` repeats a run. */
const COMMANDS = Number(process.env.MILLPOND_FUZZ ?? 50_000)
const SEED = Number(process.env.MILLPOND_SEED ?? Math.floor(Math.random() * 2 ** 31))
const BATCH = 25
const ROUND = 2000
const DIFFERENCES_MAX = 10
/** What led to a difference is told so far back. */
const BEFORE = 15

let memcached: MemcachedServer
let server: RunningServer

beforeAll(async () => {
  memcached = await startMemcached()
  server = await startServer({ ports: { 'memcached-port': 0 } })
  server.service.cache.itemBytesMax = 2 ** 20 - ITEM_OVERHEAD
})

afterAll(async () => {
  await server?.close()
  await memcached?.destroy()
})

test.each([
  ['text and meta', COMMANDS, false],
  ['binary', COMMANDS / 5, true],
])(
  `%s, %d random commands: the same answers as from memcached (seed ${SEED})`,
  {
    timeout: 600_000,
  },
  async (_name, count, binary) => {
    const random = new Random(SEED)
    const found: unknown[] = []
    for (let done = 0; done < count && found.length < DIFFERENCES_MAX; done += ROUND) {
      const clients = [
        await RawClient.connect(server.ports['memcached-port'], binary),
        await RawClient.connect(memcached.port, binary),
      ] as const
      const wrong = await round(random, clients, binary, Math.min(ROUND, count - done))
      if (wrong) found.push(wrong)
      for (const client of clients) client.close()
    }
    expect(found).toEqual([])
  },
)

/** Begins with nothing, and ends with the first answer that differs. */
async function round(
  random: Random,
  [ours, theirs]: readonly [RawClient, RawClient],
  binary: boolean,
  count: number,
): Promise<unknown> {
  const numbers: CasNumbers = new Map()
  const before: string[] = []
  const begin: FuzzRequest = {
    text: 'flush',
    bytes: binary
      ? frame(0x08, Buffer.alloc(0), '', '')
      : Buffer.from(`flush_all\r\n${'set a 0 0 0\r\n\r\ndelete a\r\n'.repeat(10)}`),
  }
  await Promise.all([ours.send([begin]), theirs.send([begin])])
  for (let left = count; left > 0; left -= BATCH) {
    const pairs = Array.from({ length: Math.min(left, BATCH) }, () =>
      binary ? randomBinary(random, { cas: numbers }) : randomText(random, { cas: numbers }),
    )
    const [one, other] = await Promise.all([ours.send(pairs.map(([a]) => a)), theirs.send(pairs.map(([, b]) => b))])
    for (const [at, [{ text }, asTheirs]] of pairs.entries()) {
      const wrong = binary
        ? binaryDifference(one[at]!, other[at]!, text.split(' ')[1]!, numbers)
        : difference(one[at]!, other[at]!, text, numbers)
      if (wrong) return { before: before.slice(-BEFORE), request: cut(text), asTheirs: cut(asTheirs.text), wrong }
      before.push(cut(text))
    }
  }
  return undefined
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length})` : text
}
