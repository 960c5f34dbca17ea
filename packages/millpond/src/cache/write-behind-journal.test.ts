import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { fileJournal } from './file-journal.ts'
import { type Behind, gate, MemoryJournal, setup } from './write-behind.fixture.ts'

describe('a journal of write-behind', () => {
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

describe('write-behind under crashes and failures at random', () => {
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
