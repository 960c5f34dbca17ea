import { afterEach, describe, expect, it, vi } from 'vitest'
import { currentMemo, readOnce, runRequest } from './request.ts'

const cache = {}
const other = {}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('runRequest', () => {
  it('gives one memo to all that runs inside, and none outside', async () => {
    expect(currentMemo(cache)).toBeUndefined()
    const memos = await runRequest(async () => {
      const first = currentMemo(cache)
      await turn()
      return [first, currentMemo(cache), await Promise.resolve().then(() => currentMemo(cache))]
    })
    expect(memos[0]).toBeInstanceOf(Map)
    expect(new Set(memos).size).toBe(1)
    expect(currentMemo(cache)).toBeUndefined()
  })

  it('keeps requests apart, and caches apart', async () => {
    const inside = () =>
      runRequest(async () => {
        await turn()
        return [currentMemo(cache), currentMemo(other)]
      })
    const [first, second] = await Promise.all([inside(), inside()])
    expect(new Set([...first!, ...second!]).size).toBe(4)
  })

  it('shares the memo with a request inside a request', () => {
    runRequest(() => {
      const outer = currentMemo(cache)
      expect(runRequest(() => currentMemo(cache))).toBe(outer)
    })
  })

  it('passes on what the function returns and throws', () => {
    expect(runRequest(() => 5)).toBe(5)
    expect(() =>
      runRequest(() => {
        throw new Error('own')
      }),
    ).toThrow('own')
  })

  describe('without AsyncLocalStorage', () => {
    afterEach(() => void vi.unstubAllGlobals())
    it('says so', async () => {
      vi.resetModules()
      vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
      const fresh = await import('./request.ts')
      expect(fresh.currentMemo(cache)).toBeUndefined()
      expect(() => fresh.runRequest(() => 1)).toThrow('AsyncLocalStorage')
    })
  })
})

describe('readOnce', () => {
  it('reads a key once, however often it is asked', async () => {
    const memo = new Map<string, Promise<unknown>>()
    let reads = 0
    const read = () => Promise.resolve(++reads)
    expect(await Promise.all([readOnce(memo, 'a', read), readOnce(memo, 'a', read)])).toEqual([1, 1])
    expect(await readOnce(memo, 'a', read)).toBe(1)
    expect(await readOnce(memo, 'b', read)).toBe(2)
  })

  it('reads again after a failure', async () => {
    const memo = new Map<string, Promise<unknown>>()
    await expect(readOnce(memo, 'a', () => Promise.reject(new Error('once')))).rejects.toThrow('once')
    expect(await readOnce(memo, 'a', () => Promise.resolve(1))).toBe(1)
  })

  it('does not forget a newer read when an older one fails', async () => {
    const memo = new Map<string, Promise<unknown>>()
    const older = readOnce(memo, 'a', () => turn().then(() => Promise.reject(new Error('old'))))
    memo.delete('a')
    const newer = readOnce(memo, 'a', () => Promise.resolve(2))
    await expect(older).rejects.toThrow('old')
    expect(await newer).toBe(2)
    expect(memo.has('a')).toBe(true)
  })
})
