import { describe, expect, it } from 'vitest'
import { KeyError } from '../core/errors.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { createCache } from './cache.ts'

const setup = async () => {
  const cache = createCache({ clock: manualClock(), ttl: '1m', staleWhileRevalidate: '1h' })
  await cache.set('a', 1, { tags: ['t'] })
  await cache.set('b', 2, { tags: ['u'] })
  await cache.set('c', 3)
  await cache.set('d', 4)
  await cache.namespace('n').set('a', 5)
  const left = () => ['a', 'b', 'c', 'd'].filter((key) => cache.peek(key) !== undefined).join('')
  return { cache, left }
}

describe('cache.invalidations', () => {
  it('does nothing until flush, then everything', async () => {
    const { cache, left } = await setup()
    const later = cache.invalidations()
    later.deleteByTag('t')
    later.expireByTag(['u'])
    later.delete(['c', 'c'])
    later.expire('d')
    later.namespace('n').delete('a')
    expect(later.size).toBe(5)
    expect(left()).toBe('abcd')
    await later.flush()
    expect(left()).toBe('')
    expect(cache.namespace('n').peek('a')).toBeUndefined()
    expect((await cache.getEntry('a'))?.state).toBeUndefined()
    expect((await cache.getEntry('d'))?.state).toBe('stale')
    expect(later.size).toBe(0)
  })

  it('keeps namespaces apart', async () => {
    const { cache, left } = await setup()
    const later = cache.invalidations()
    later.namespace('n').delete('a')
    await later.flush()
    expect(left()).toBe('abcd')
    expect(cache.namespace('n').peek('a')).toBeUndefined()
  })

  it('forgets everything on drop, and can be used again', async () => {
    const { cache, left } = await setup()
    const later = cache.invalidations()
    later.delete('a')
    later.drop()
    later.delete('b')
    await later.flush()
    expect(left()).toBe('acd')
  })

  it('flushes when its scope is left by an error, because COMMIT may have taken place', async () => {
    const { cache, left } = await setup()
    const transaction = async () => {
      await using later = cache.invalidations()
      later.delete('a')
      throw new Error('connection lost during COMMIT')
    }
    await expect(transaction()).rejects.toThrow('connection lost')
    expect(left()).toBe('bcd')
  })

  it('does nothing at the end of a scope after drop', async () => {
    const { cache, left } = await setup()
    {
      await using later = cache.invalidations()
      later.delete('a')
      later.drop()
    }
    expect(left()).toBe('abcd')
  })

  it('refuses at once what is no key: after COMMIT it would be too late', async () => {
    const { cache } = await setup()
    const later = cache.invalidations()
    expect(() => later.delete(17 as never)).toThrow(KeyError)
    expect(() => later.delete(['a', undefined as never])).toThrow(KeyError)
  })
})
