import type { Emitter } from './emitter.ts'
import { shownKey } from './inner-key.ts'
import type { Counters } from './stats.ts'

/** What answered a read; `stale` and `fallback`: a value whose time was over. */
export type Answer = 'near' | 'store' | 'stale' | 'fallback' | 'load' | 'nothing'

/** Counts what answered a read, and tells those who listen. */
export function answered(
  by: Answer,
  key: string,
  { counters, emitter }: { counters: Counters; emitter: Emitter },
): void {
  const counter = COUNTERS[by]
  counters[counter]++
  if (counter === 'misses') emitter.emit('miss', { key: shownKey(key) })
  else if (emitter.hearsHits) {
    const tier = by === 'store' ? 'store' : 'near'
    emitter.emit('hit', { key: shownKey(key), tier, stale: counter === 'staleHits' })
  }
}

const COUNTERS = {
  near: 'nearHits',
  store: 'storeHits',
  stale: 'staleHits',
  fallback: 'staleHits',
  load: 'misses',
  nothing: 'misses',
} as const satisfies Record<Answer, keyof Counters>
