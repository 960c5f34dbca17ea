/** What docs/stores.md says about memory that is full: who evicts tombstones, and who does not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startRedis } from '../../../../../tools/servers/redis.ts'
import type { StoreRecord } from '../../core/store.ts'
import { valkeyStore } from './index.ts'

const record: StoreRecord = { value: 'x'.repeat(400), freshMs: 300_000, keepMs: 300_000, tags: [] }
const tombstones = Array.from({ length: 500 }, (_, at) => `t${at}`)

/** The share of tombstones that are left after a fifth of all entries were replaced. */
async function shareLeft(policy: string): Promise<number> {
  await using server = await startRedis({ args: ['--maxmemory', '8mb', '--maxmemory-policy', policy] })
  const store = valkeyStore(server.url)
  let filled = 0
  const fill = async (count: number) => {
    for (const end = filled + count; filled < end; )
      await Promise.all(Array.from({ length: 500 }, () => store.fill(`k${filled++}`, record, '')))
  }
  await fill(16_000) // more than there is room for
  await sleep(2100) // the server tells ages apart by seconds
  await store.invalidate(tombstones, 60_000, false)
  await fill(2000)
  const { entries } = await store.read(tombstones, [])
  await store.close()
  return entries.filter(({ mark }) => mark !== '').length / tombstones.length
}

test.concurrent.each(['allkeys-lru', 'volatile-lru'])(
  '%s keeps them',
  async (policy) => {
    expect(await shareLeft(policy)).toBeGreaterThan(0.95)
  },
  30_000,
)

test.concurrent('volatile-ttl does not', async () => {
  expect(await shareLeft('volatile-ttl')).toBeLessThan(0.8)
}, 30_000)
