/** What the tests of write-behind share: a table that can fail, a journal that outlives its cache, a gate. */
import type { Journal, JournalRecord } from '../core/journal.ts'
import { seededRandom } from '../core/random.ts'
import { type ManualClock, manualClock } from '../testing/manual-clock.ts'
import { createCache } from './cache.ts'
import type { CacheEvents } from './events.ts'
import type { CacheOptions } from './options.ts'
import type { SourceOptions } from './source-options.ts'
import { writeBehind } from './write-behind.ts'
import type { WriteBehindOptions } from './write-behind-options.ts'

export type Behind = WriteBehindOptions<string, number>
/** What a test changes. */
export interface Given {
  behind?: Behind
  source?: Partial<SourceOptions<string, number>>
  cache?: CacheOptions
  clock?: ManualClock
  rows?: Map<string, number>
}

/** A table that may be down or refuse a value, and a source that writes behind to it. */
export function setup({
  behind = {},
  source = {},
  cache: options = {},
  clock = manualClock(),
  rows = new Map(),
}: Given = {}) {
  const cache = createCache({ clock, ttl: '1h', random: seededRandom(1), ...options })
  const batches: (readonly (readonly [string, number])[])[] = []
  const events: CacheEvents['writeBehindError'][] = []
  const table = {
    down: undefined as Error | undefined,
    refused: new Set<number>(),
    rows,
    gate: Promise.resolve(),
    reads: 0,
  }
  cache.on('writeBehindError', (event) => events.push(event))
  const counts = cache.define<string, number>({
    name: 'count',
    load: (id) => {
      table.reads++
      return rows.get(id)
    },
    writeMany: async (entries) => {
      batches.push(entries)
      await table.gate
      if (table.down) throw table.down
      if (entries.some(([, value]) => table.refused.has(value))) throw new Error('constraint')
      for (const [id, value] of entries) rows.set(id, value)
    },
    remove: async (id) => {
      if (table.down) throw table.down
      rows.delete(id)
    },
    writeMode: writeBehind(behind),
    ...source,
  })
  return { cache, clock, counts, rows, batches, events, table }
}

/** A journal in memory that outlives the cache that it was given to, as a file outlives a process. */
export class MemoryJournal implements Journal {
  readonly kept = new Map<number, JournalRecord>()
  failure: Error | undefined
  gate: Promise<void> = Promise.resolve()

  async open(): Promise<readonly JournalRecord[]> {
    await this.gate
    if (this.failure) throw this.failure
    return [...this.kept.values()]
  }
  async append(record: JournalRecord): Promise<void> {
    await this.gate
    if (this.failure) throw this.failure
    this.kept.set(record.sequence, record)
  }
  async settle(sequences: readonly number[]): Promise<void> {
    if (this.failure) throw this.failure
    for (const sequence of sequences) this.kept.delete(sequence)
  }
  async close(): Promise<void> {}
}

/** Something that a test opens by hand. */
export function gate(): { closed: Promise<void>; open: () => void } {
  let open = () => {}
  const closed = new Promise<void>((resolve) => (open = resolve))
  return { closed, open }
}
