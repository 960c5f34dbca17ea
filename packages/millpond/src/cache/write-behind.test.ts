import { describe, expect, it } from 'vitest'
import { ClosedError, OptionError, WriteBehindError } from '../core/errors.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import { type Behind, gate, MemoryJournal, setup } from './write-behind.fixture.ts'
import { writeBehind } from './write-behind.ts'

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
      // The first puts the change into the cache, the second makes ready for the write.
      if (method === 'invalidate' && ++fences === 2) await fencing.closed
    })
    const { counts, rows, table } = setup({ clock, cache: { store, storeTimeout: '1h', fence: '4h' } })
    const writing = gate()
    await counts.set('a', 1)
    await clock.advance(100)
    expect([fences, table.reads]).toEqual([2, 0])
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
