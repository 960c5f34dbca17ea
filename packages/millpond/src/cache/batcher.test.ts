import { describe, expect, it } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { Batcher, whenAllAborted } from './batcher.ts'

const setup = ({ maxSize = 100, delayMs = 0, fails = (_: number): boolean => false } = {}) => {
  const clock = manualClock()
  const batches: number[][] = []
  const run = async (items: readonly { id: number }[]) => {
    const ids = items.map((item) => item.id)
    batches.push(ids)
    const bad = ids.find(fails)
    if (bad !== undefined) throw new Error(`batch with ${bad}`)
    return ids.map((id) => `value ${id}`)
  }
  const batcher = new Batcher<number, string, object>(run, clock, maxSize, delayMs)
  return { clock, batches, load: (id: number) => batcher.load(id, {}) }
}

describe('Batcher', () => {
  it('collects what is asked for within one tick, promises included', async () => {
    const { batches, load } = setup()
    const later = async (id: number, turns: number) => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      return load(id)
    }
    expect(await Promise.all([load(1), later(2, 1), later(3, 5), later(4, 20)])).toEqual([
      'value 1',
      'value 2',
      'value 3',
      'value 4',
    ])
    expect(batches).toEqual([[1, 2, 3, 4]])
  })

  it('begins a new batch for what comes in a later tick', async () => {
    const { batches, load } = setup()
    await load(1)
    await load(2)
    expect(batches).toEqual([[1], [2]])
  })

  it('waits for `delayMs` where that is given', async () => {
    const { batches, clock, load } = setup({ delayMs: 5 })
    const first = load(1)
    await clock.advance(4)
    const second = load(2)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(await Promise.all([first, second])).toEqual(['value 1', 'value 2'])
    expect(batches).toEqual([[1, 2]])
  })

  it('splits what is more than `maxSize`', async () => {
    const { batches, load } = setup({ maxSize: 2 })
    await Promise.all([1, 2, 3, 4, 5].map(load))
    expect(batches).toEqual([[1, 2], [3, 4], [5]])
  })

  it('rejects the loads of a failing batch, and of no other, with the error as it was thrown', async () => {
    const { load } = setup({ maxSize: 2, fails: (id): boolean => id === 3 })
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(load))
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    expect((outcomes[2] as PromiseRejectedResult).reason).toBe((outcomes[3] as PromiseRejectedResult).reason)
  })
})

describe('whenAllAborted', () => {
  it('is aborted with the last one, not with the first', () => {
    const [one, two] = [new AbortController(), new AbortController()]
    const signal = whenAllAborted([one.signal, two.signal])
    one.abort('one gave up')
    expect(signal.aborted).toBe(false)
    two.abort('two gave up')
    expect(signal.reason).toBe('two gave up')
  })

  it('counts signals that were aborted before', () => {
    expect(whenAllAborted([AbortSignal.abort('before')]).reason).toBe('before')
  })
})
