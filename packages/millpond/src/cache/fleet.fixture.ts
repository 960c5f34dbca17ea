/** A process of a fleet: on each line it reads a key many times at once, and tells how often it loaded and how long it took. */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { valkeyStore } from '../stores/valkey/index.ts'
import { createCache } from './cache.ts'

const [url = '', loadMs = '100', misses = '500'] = process.argv.slice(2)
const cache = createCache({ name: 'fleet', store: valkeyStore(url), lock: 'store', storeTimeout: '10s', fence: '1m' })
let loads = 0
async function load(): Promise<string> {
  loads++
  await sleep(Number(loadMs))
  return 'loaded'
}

await cache.get('connected')
console.log('ready')
for await (const key of createInterface({ input: process.stdin })) {
  const beganAtMs = performance.now()
  loads = 0
  const values = await Promise.all(Array.from({ length: Number(misses) }, () => cache.getOrSet(key, load)))
  const tookMs = performance.now() - beganAtMs
  console.log(JSON.stringify({ loads, tookMs, whole: values.every((value) => value === 'loaded') }))
}
await cache.close()
