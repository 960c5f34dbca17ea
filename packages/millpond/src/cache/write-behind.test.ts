import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ClosedError, OptionError, WriteBehindError } from '../core/errors.ts'
import type { Journal, JournalRecord } from '../core/journal.ts'
import { seededRandom } from '../core/random.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { type ManualClock, manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import type { CacheEvents } from './events.ts'
import { fileJournal } from './file-journal.ts'
import type { CacheOptions } from './options.ts'
import type { SourceOptions } from './source-options.ts'
import { writeBehind } from './write-behind.ts'
import type { WriteBehindOptions } from './write-behind-options.ts'

type Behind = WriteBehindOptions<string, number>
interface Given {
  behind?: Behind
  source?: Partial<SourceOptions<string, number>>
  cache?: CacheOptions
  clock?: ManualClock
  rows?: Map<string, number>
}

/** A table that may be down or refuse a value, and a source that writes behind to it. */
function setup({ behind = {}, source = {}, cache: options = {}, clock = manualClock(), rows = new Map() }: Given = {}) {
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
class MemoryJournal implements Journal {
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
function gate(): { closed: Promise<void>; open: () => void } {
  let open = () => {}
  const closed = new Promise<void>((resolve) => (open = resolve))
  return { closed, open }
}

describe('write-behind', () => {
  it('acknowledges before the database has the value, and shows it to readers', async () => {
    const { counts, rows, clock, batches, table } = setup()
    await counts.set('a', 1)
    expect(rows.has('a')).toBe(false)
    expect(await counts.get('a')).toBe(1)
    await clock.advance(99)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(rows.get('a')).toBe(1)
    expect(await counts.get('a')).toBe(1)
    expect(table.reads).toBe(0)
  })

  it('writes the newest value of each key, in one batch', async () => {
    const { counts, clock, batches } = setup()
    for (let value = 1; value <= 20; value++) await counts.set('a', value)
    await counts.set('b', 1)
    await clock.advance(100)
    expect(batches).toEqual([
      [
        ['a', 20],
        ['b', 1],
      ],
    ])
  })

  it('writes a key that changes all the time, no later than `delay` after its first change', async () => {
    const { counts, clock, batches } = setup()
    for (let value = 1; value <= 20; value++) {
      await counts.set('a', value)
      await clock.advance(10)
    }
    expect(batches.length).toBe(2)
  })

  it('does not wait for `delay` when a batch is full', async () => {
    const { counts, batches, clock } = setup({ behind: { maxBatch: 3, delay: '1h' } })
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => counts.set(id, 1)))
    await clock.advance(0)
    expect(batches.map((batch) => batch.map(([id]) => id))).toEqual([['a', 'b', 'c']])
  })

  it('has one batch under way at a time, so that changes of a key arrive in order', async () => {
    const { counts, clock, batches, rows, table } = setup()
    const first = gate()
    table.gate = first.closed
    await counts.set('a', 1)
    await clock.advance(100)
    await counts.set('a', 2)
    await clock.advance(5000)
    expect(batches).toHaveLength(1)
    expect(await counts.get('a')).toBe(2)
    first.open()
    await clock.advance(100)
    expect(batches).toEqual([[['a', 1]], [['a', 2]]])
    expect(rows.get('a')).toBe(2)
    expect(await counts.get('a')).toBe(2)
  })

  it('shows the newest change when it comes while the cache makes ready for an older one', async () => {
    const clock = manualClock()
    const fencing = gate()
    let fences = 0
    const store = faultyStore(new MemoryStore(clock), async ({ method }) => {
      if (method === 'invalidate' && ++fences === 1) await fencing.closed
    })
    const { counts, rows, table } = setup({ clock, cache: { store, storeTimeout: '1h' } })
    const writing = gate()
    await counts.set('a', 1)
    await clock.advance(100)
    expect([fences, table.reads]).toEqual([1, 0])
    await counts.set('a', 2)
    table.gate = writing.closed
    fencing.open()
    await clock.advance(0)
    expect(await counts.get('a')).toBe(2)
    writing.open()
    await clock.advance(0)
    expect([rows.get('a'), await counts.get('a')]).toEqual([1, 2])
    await clock.advance(100)
    expect([rows.get('a'), await counts.get('a'), table.reads]).toEqual([2, 2, 0])
  })

  it('never shows the older row while a change waits or is under way, whatever the cache forgets', async () => {
    const { cache, counts, clock, table, rows } = setup({ rows: new Map([['a', 1]]) })
    const writing = gate()
    table.gate = writing.closed
    await counts.set('a', 2)
    await cache.delete(counts.key('a'))
    expect(await counts.get('a')).toBe(2)
    await clock.advance(100)
    await cache.clear()
    expect(await counts.get('a')).toBe(2)
    expect(await counts.refresh('a')).toBe(2)
    expect(rows.get('a')).toBe(1)
    expect(table.reads).toBe(0)
    writing.open()
    await clock.advance(0)
    await cache.clear()
    expect([await counts.get('a'), table.reads]).toEqual([2, 1])
  })

  it('shows the change even where a store still has the older value', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const { counts, cache } = setup({ clock, cache: { clock, store, memory: false }, rows: new Map([['a', 1]]) })
    await counts.get('a')
    await counts.set('a', 2)
    const other = createCache({ clock, store })
    await other.set(counts.key('a'), 1)
    expect(await counts.get('a')).toBe(2)
    await cache.close()
  })

  it('does not store a load that had read the row before', async () => {
    let release = (_: number) => {}
    const { counts } = setup({ source: { load: () => new Promise<number>((resolve) => (release = resolve)) } })
    const reading = counts.get('a')
    await Promise.resolve()
    await counts.set('a', 2)
    release(1)
    await reading
    expect(await counts.get('a')).toBe(2)
  })

  it('removes behind too, and reads see that nothing is there', async () => {
    const { counts, clock, rows } = setup({ rows: new Map([['a', 1]]) })
    await counts.delete('a')
    expect([rows.has('a'), await counts.get('a')]).toEqual([true, undefined])
    await clock.advance(100)
    expect([rows.has('a'), await counts.get('a')]).toEqual([false, undefined])
    await counts.set('a', 1)
    await counts.delete('a')
    await counts.set('a', 3)
    await clock.advance(100)
    expect([rows.get('a'), await counts.get('a')]).toEqual([3, 3])
  })

  it('updates one after the other without a read of the database in between', async () => {
    const { counts, clock, rows, table } = setup({ rows: new Map([['a', 10]]) })
    await Promise.all(Array.from({ length: 30 }, () => counts.update('a', (count = 0) => count + 1)))
    await clock.advance(100)
    expect([rows.get('a'), table.reads]).toEqual([40, 1])
  })

  it('calls `write` for each change where there is no writeMany', async () => {
    const written: string[] = []
    const refused = new Error('refused')
    const { cache, clock } = setup()
    const single = cache.define<string, number>({
      name: 'single',
      load: () => undefined,
      write: async (id) => {
        written.push(id)
        if (id === 'b') throw refused
      },
      writeMode: writeBehind({ retry: { attempts: 1 } }),
    })
    const failed: unknown[] = []
    cache.on('writeBehindError', ({ key, error }) => failed.push(key, error))
    await Promise.all(['a', 'b', 'c'].map((id) => single.set(id, 1)))
    await clock.advance(100)
    expect(written).toEqual(['a', 'b', 'c'])
    expect(failed).toEqual([single.key('b'), refused])
  })

  it('rejects a value that the cache refuses, and the value before it stands', async () => {
    const { cache, clock } = setup({ cache: { copy: 'clone' } })
    const written: unknown[] = []
    const any = cache.define<string, unknown>({
      name: 'any',
      load: () => undefined,
      write: (_, value) => void written.push(value),
      writeMode: writeBehind(),
    })
    await any.set('a', 1)
    await expect(any.set('a', { bad: () => 1 })).rejects.toThrow('function')
    await expect(any.set('b', { bad: () => 1 })).rejects.toThrow('function')
    await clock.advance(100)
    expect(written).toEqual([1])
  })

  it.each([
    [{ maxBatch: 0 }, 'maxBatch'],
    [{ maxPending: 1.5 }, 'maxPending'],
    [{ delay: 'soon' as never }, 'delay'],
    [{ retry: { attempts: 0 } }, 'retry.attempts'],
    [{ retry: { jitter: 2 } }, 'retry.jitter'],
  ])('refuses %o', (behind, option) => {
    expect(() => setup({ behind })).toThrow(OptionError)
    expect(() => setup({ behind })).toThrow(option)
  })
})

describe('failing writes', () => {
  it('are tried again after pauses that double, up to the longest, shortened by chance', async () => {
    const times: number[] = []
    const behind: Behind = { delay: 0, retry: { base: 100, max: 1000, jitter: 0 } }
    const { counts, clock, table, rows, events } = setup({
      behind,
      source: {
        writeMany: () => {
          times.push(clock.monotonic())
          if (table.down) throw table.down
          rows.set('a', 1)
        },
      },
    })
    table.down = new Error('down')
    await counts.set('a', 1)
    await clock.advance(4000)
    expect(times.map((time, at) => time - (times[at - 1] ?? 0))).toEqual([0, 100, 200, 400, 800, 1000, 1000])
    expect(events.map(({ attempt, givenUp, key }) => [attempt, givenUp, key])).toEqual(
      times.map((_, at) => [at + 1, false, counts.key('a')]),
    )
    expect(events[0]?.error).toBe(table.down)
    table.down = undefined
    await clock.advance(1000)
    expect(rows.get('a')).toBe(1)
    await clock.advance(10_000)
    expect(times).toHaveLength(8)
  })

  it('draw their pauses from the random of the cache', async () => {
    const clock = manualClock()
    const { counts, table, batches } = setup({
      clock,
      behind: { delay: 0, retry: { base: 100, jitter: 1 } },
      cache: { random: () => 0.75 },
    })
    table.down = new Error('down')
    await counts.set('a', 1)
    await clock.advance(24)
    expect(batches).toHaveLength(1)
    await clock.advance(1)
    expect(batches).toHaveLength(2)
  })

  it('do not hold up others: a bad row soon stands alone', async () => {
    const { counts, clock, rows, table, batches } = setup({ behind: { maxBatch: 64, retry: { jitter: 0 } } })
    table.refused.add(-1)
    const ids = Array.from({ length: 64 }, (_, at) => `k${at}`)
    await Promise.all(ids.map((id, at) => counts.set(id, at === 30 ? -1 : at)))
    await clock.advance(1000)
    expect(rows.size).toBe(63)
    expect(batches.length).toBeLessThan(30)
    expect(batches.filter((batch) => batch.length === 1 && batch[0]![0] === 'k30').length).toBeGreaterThan(0)
  })

  it('are replaced by a newer change of the key', async () => {
    const { counts, clock, rows, table } = setup({ behind: { retry: { base: '1h', max: '1h' } } })
    table.down = new Error('down')
    await counts.set('a', 1)
    await clock.advance(100)
    table.down = undefined
    await counts.set('a', 2)
    await clock.advance(100)
    expect(rows.get('a')).toBe(2)
  })

  it('are given up when their tries are used up; readers see the row again', async () => {
    const handed: unknown[] = []
    const behind: Behind = { retry: { attempts: 3, jitter: 0 }, onGiveUp: (write) => void handed.push(write) }
    const { counts, clock, table, events } = setup({ behind, rows: new Map([['a', 1]]) })
    table.down = new Error('down')
    await counts.set('a', 2)
    await counts.delete('b')
    await clock.advance(2000)
    expect(events.filter(({ givenUp }) => givenUp).map(({ attempt }) => attempt)).toEqual([3, 3])
    const common = { error: table.down, attempts: 3 }
    expect(handed).toEqual([
      { id: 'a', key: counts.key('a'), value: 2, removed: false, ...common },
      { id: 'b', key: counts.key('b'), value: undefined, removed: true, ...common },
    ])
    expect(await counts.get('a')).toBe(1)
    table.down = undefined
    await clock.advance(100_000)
    expect(await counts.get('a')).toBe(1)
  })

  it('are given up when their time is over', async () => {
    const { counts, clock, table, events, batches } = setup({ behind: { delay: 0, retry: { for: '1s', jitter: 0 } } })
    table.down = new Error('down')
    await counts.set('a', 2)
    await clock.advance(50_000)
    expect(events.at(-1)).toMatchObject({ givenUp: true, attempt: 5 })
    expect(batches).toHaveLength(5)
  })
})

describe('back-pressure', () => {
  it('makes `set` wait at maxPending, and lets in one by one, in order', async () => {
    const { counts, clock, table, rows } = setup({ behind: { maxPending: 2, maxBatch: 1, delay: 0 } })
    const writing = gate()
    table.gate = writing.closed
    const accepted: string[] = []
    const sets = ['a', 'b', 'c', 'd', 'e'].map((id) => counts.set(id, 1).then(() => accepted.push(id)))
    await clock.advance(1000)
    expect(accepted).toEqual(['a', 'b'])
    writing.open()
    await clock.advance(10)
    await Promise.all(sets)
    expect(accepted).toEqual(['a', 'b', 'c', 'd', 'e'])
    await clock.advance(10)
    expect(rows.size).toBe(5)
  })

  it('lets a change of a key that waits already replace it at once', async () => {
    const { counts, clock, rows } = setup({ behind: { maxPending: 2 } })
    await counts.set('a', 1)
    await counts.set('b', 1)
    await counts.set('a', 2)
    await clock.advance(100)
    expect(rows.get('a')).toBe(2)
  })

  it('refuses those who wait when the cache closes', async () => {
    const { counts, cache, rows } = setup({ behind: { maxPending: 1, delay: '1h' } })
    await counts.set('a', 1)
    const waiting = counts.set('b', 1)
    const outcome = expect(waiting).rejects.toThrow(ClosedError)
    await new Promise((resolve) => setImmediate(resolve))
    await cache.close()
    await outcome
    expect([...rows.keys()]).toEqual(['a'])
  })
})

describe('flush', () => {
  it('writes what waits without `delay`, and resolves when the database has it', async () => {
    const { counts, rows } = setup({ behind: { delay: '1h' } })
    await Promise.all([counts.set('a', 1), counts.set('b', 2)])
    await counts.flush()
    expect([...rows]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    await counts.flush()
  })

  it('waits for the batch under way', async () => {
    const { counts, clock, table } = setup()
    const writing = gate()
    table.gate = writing.closed
    await counts.set('a', 1)
    await clock.advance(100)
    let flushed = false
    const flushing = counts.flush().then(() => (flushed = true))
    await clock.advance(0)
    expect(flushed).toBe(false)
    writing.open()
    await flushing
  })

  it('rejects with the cause when something could not be written, which stays queued', async () => {
    const { counts, clock, table, rows } = setup()
    table.down = new Error('down')
    await counts.set('a', 1)
    const error: unknown = await counts.flush().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(WriteBehindError)
    expect(error).toMatchObject({ code: 'ERR_WRITE_BEHIND', cause: table.down })
    expect((error as Error).message).toContain('1 of 1 writes of count failed')
    table.down = undefined
    await clock.advance(200)
    expect(rows.get('a')).toBe(1)
  })
})

describe('close', () => {
  it('delivers what waits', async () => {
    const { counts, cache, rows } = setup({ behind: { delay: '1h' } })
    await counts.set('a', 1)
    await cache.close()
    expect(rows.get('a')).toBe(1)
    await expect(counts.set('a', 2)).rejects.toThrow(ClosedError)
  })

  it('goes on trying while the bound lasts', async () => {
    const { counts, cache, clock, table, rows } = setup()
    table.down = new Error('restarting')
    await counts.set('a', 1)
    const closing = cache.close()
    await clock.advance(2000)
    table.down = undefined
    await clock.advance(5000)
    await closing
    expect(rows.get('a')).toBe(1)
  })

  it('ends at its bound, and says what was not delivered', async () => {
    const handed: unknown[] = []
    const behind: Behind = { closeTimeout: '1s', onGiveUp: ({ id, value }) => void handed.push([id, value]) }
    const { counts, cache, clock, table, events } = setup({ behind })
    table.gate = new Promise(() => {})
    await counts.set('a', 1)
    await clock.advance(100)
    await counts.set('b', 2)
    const outcome = expect(cache.close()).rejects.toThrow('closed before 2 writes were delivered')
    await clock.advance(1000)
    await outcome
    expect(handed).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(events.filter(({ givenUp }) => givenUp)).toHaveLength(2)
  })

  it('leaves what was not delivered in the journal, which is no failure', async () => {
    const journal = new MemoryJournal()
    const { counts, cache, clock, table } = setup({ behind: { journal, closeTimeout: '1s' } })
    table.down = new Error('down')
    await counts.set('a', 1)
    const closing = cache.close()
    await clock.advance(1000)
    await closing
    const next = setup({ behind: { journal } })
    expect(await next.counts.get('a')).toBe(1)
  })
})

describe('a journal', () => {
  it('has the change before `set` resolves, and drops it when the database has it', async () => {
    const journal = new MemoryJournal()
    const { counts, clock } = setup({ behind: { journal } })
    const disk = gate()
    await counts.flush()
    journal.gate = disk.closed
    let acknowledged = false
    const setting = counts.set('a', 1).then(() => (acknowledged = true))
    await clock.advance(1000)
    expect(acknowledged).toBe(false)
    disk.open()
    await setting
    expect(journal.kept.size).toBe(1)
    await counts.set('a', 2)
    await clock.advance(100)
    expect(journal.kept.size).toBe(0)
  })

  it('replays after a crash, and no read of these keys is served from the database before', async () => {
    const journal = new MemoryJournal()
    const rows = new Map([['a', 0]])
    const before = setup({ behind: { journal }, rows })
    await before.counts.set('a', 1)
    await before.counts.set('a', 2)
    await before.counts.delete('b')
    const disk = gate()
    journal.gate = disk.closed
    const after = setup({ behind: { journal }, rows })
    const reading = Promise.all([after.counts.get('a'), after.counts.get('b'), after.counts.getMany(['a'])])
    await after.clock.advance(0)
    disk.open()
    expect(await reading).toEqual([2, undefined, [2]])
    expect(after.table.reads).toBe(0)
    await after.clock.advance(100)
    expect(rows.get('a')).toBe(2)
    expect(journal.kept.size).toBe(0)
  })

  it('does not accept what it could not keep', async () => {
    const journal = new MemoryJournal()
    const { counts, clock, rows } = setup({ behind: { journal, maxPending: 1 } })
    await counts.flush()
    journal.failure = new Error('disk full')
    await expect(counts.set('a', 1)).rejects.toBe(journal.failure)
    expect(await counts.get('a')).toBeUndefined()
    journal.failure = undefined
    await counts.set('b', 1)
    await clock.advance(100)
    expect([...rows]).toEqual([['b', 1]])
  })

  it('that cannot be read fails reads and writes rather than serve what may be old', async () => {
    const journal = new MemoryJournal()
    journal.failure = new Error('damaged')
    const { counts, cache, rows } = setup({ behind: { journal }, rows: new Map([['a', 1]]) })
    await expect(counts.get('a')).rejects.toBe(journal.failure)
    await expect(counts.set('a', 2)).rejects.toBe(journal.failure)
    await expect(counts.refresh('a')).rejects.toBe(journal.failure)
    await cache.close()
    expect(rows.get('a')).toBe(1)
  })

  it('keeps a write that was given up, until a later one of its key is delivered', async () => {
    const journal = new MemoryJournal()
    const { counts, clock, table } = setup({ behind: { journal, retry: { attempts: 1 } } })
    table.down = new Error('down')
    await counts.set('a', 1)
    await clock.advance(100)
    expect(journal.kept.size).toBe(1)
    table.down = undefined
    await counts.set('a', 2)
    await clock.advance(100)
    expect(journal.kept.size).toBe(0)
  })

  it('lets go of a write that onGiveUp took over, and keeps it when onGiveUp fails', async () => {
    const journal = new MemoryJournal()
    let takes = true
    const onGiveUp = () => {
      if (!takes) throw new Error('dead letters are down too')
    }
    const { counts, clock, table } = setup({ behind: { journal, retry: { attempts: 1 }, onGiveUp } })
    table.down = new Error('down')
    await counts.set('a', 1)
    await clock.advance(100)
    expect(journal.kept.size).toBe(0)
    takes = false
    await counts.set('a', 2)
    await clock.advance(100)
    expect(journal.kept.size).toBe(1)
  })

  it('keeps what it cannot decode, and tells', async () => {
    const journal = new MemoryJournal()
    journal.kept.set(7, { sequence: 7, key: 'count@1(x)', value: '!9of a later release' })
    const { counts, clock, events, rows } = setup({ behind: { journal } })
    await counts.set('a', 1)
    await clock.advance(100)
    expect(events).toMatchObject([{ key: 'count@1(x)', givenUp: true }])
    expect([...journal.kept.keys()]).toEqual([7])
    expect(rows.get('a')).toBe(1)
  })

  it('in a file brings writes over a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millpond-behind-'))
    try {
      const path = join(folder, 'counts.journal')
      const rows = new Map<string, number>()
      const before = setup({ behind: { journal: fileJournal({ path }), closeTimeout: 10 }, rows })
      before.table.down = new Error('down')
      await Promise.all(Array.from({ length: 50 }, (_, at) => before.counts.set(`k${at}`, at)))
      const closing = before.cache.close()
      await before.clock.advance(10)
      await closing
      expect(rows.size).toBe(0)
      const after = setup({ behind: { journal: fileJournal({ path }) }, rows })
      expect(await after.counts.get('k49')).toBe(49)
      await after.counts.flush()
      expect([...rows.values()].toSorted((one, two) => one - two)).toEqual(Array.from({ length: 50 }, (_, at) => at))
      await after.cache.close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('under crashes and failures at random', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed + 1))(
    'loses no acknowledged write and keeps their order (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const pick = (below: number) => Math.floor(random() * below)
      const journal = new MemoryJournal()
      const rows = new Map<string, number>()
      /** The newest value of each key that was acknowledged, and the newest that was asked for. */
      const acknowledged = new Map<string, number>()
      const asked = new Map<string, number>()
      let next = 0
      for (let life = 0; life < 4; life++) {
        const behind: Behind = {
          journal,
          maxBatch: 1 + pick(4),
          maxPending: 2 + pick(5),
          delay: pick(50),
          retry: { base: 10, max: 100 },
        }
        const { clock, counts, table, cache } = setup({ behind, rows, cache: { random } })
        for (const [key, value] of acknowledged) expect(await counts.get(key)).toBeGreaterThanOrEqual(value)
        for (let step = 0; step < 30; step++) {
          const id = `k${pick(4)}`
          const value = ++next
          const action = pick(6)
          if (action < 3) {
            asked.set(id, value)
            counts.set(id, value).then(
              () => acknowledged.set(id, value),
              () => {},
            )
          } else if (action === 3) table.down = random() < 0.5 ? new Error('down') : undefined
          else if (action === 4) await cache.delete(counts.key(id))
          else await clock.advance(pick(60))
          if (pick(3) === 0) {
            await clock.advance(0)
            const floor = acknowledged.get(id)
            if (floor !== undefined) expect(await counts.get(id)).toBeGreaterThanOrEqual(floor)
          }
        }
        // The process dies here: nothing of this life runs on, since nobody moves its clock.
        await clock.advance(0)
        table.gate = new Promise(() => {})
      }
      const last = setup({ behind: { journal }, rows })
      await last.counts.flush()
      for (const [id, value] of acknowledged) {
        expect(rows.get(id), id).toBeGreaterThanOrEqual(value)
        expect(rows.get(id), id).toBeLessThanOrEqual(asked.get(id)!)
      }
      expect(journal.kept.size).toBe(0)
    },
  )
})
