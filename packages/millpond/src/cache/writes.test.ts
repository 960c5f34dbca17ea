import { expect, test } from 'vitest'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import type { CacheHost } from './host.ts'

test('a write-through does not keep its value when another write came while its fence was on the way', async () => {
  const clock = manualClock()
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  let isFirst = true
  const store = faultyStore(new MemoryStore(clock), async ({ method }) => {
    if (method !== 'invalidate' || !isFirst) return
    isFirst = false
    await gate
  })
  const cache = createCache({ clock, store }) as CacheHost
  const written = cache.writeThrough([{ key: 'key', value: 'older', options: {} }], () => {})
  await clock.advance(0)
  await cache.set('key', 'newer')
  open()
  await written
  expect(await cache.get('key')).not.toBe('older')
})
