import { describe, expect, expectTypeOf, it } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { createCache } from './cache.ts'

const setup = () => {
  const clock = manualClock()
  return { clock, cache: createCache({ clock, ttl: '1m' }) }
}

describe('cache.wrap', () => {
  it('keeps the signature, and calls the function once for equal arguments', async () => {
    const { cache } = setup()
    const calls: unknown[] = []
    const price = cache.wrap(
      async (symbol: string, options: { side: 'buy' | 'sell'; depth?: number }) => {
        calls.push([symbol, options])
        return calls.length
      },
      { key: 'price' },
    )
    expectTypeOf(price).parameters.toEqualTypeOf<[string, { side: 'buy' | 'sell'; depth?: number }]>()
    expectTypeOf(price).returns.toEqualTypeOf<Promise<number>>()
    expect(await price('ACME', { side: 'buy', depth: 1 })).toBe(1)
    expect(await price('ACME', { depth: 1, side: 'buy' })).toBe(1)
    expect(await price('ACME', { side: 'sell', depth: 1 })).toBe(2)
    expect(calls).toHaveLength(2)
  })

  it('does not mix up arguments that print alike', async () => {
    const { cache } = setup()
    const echo = cache.wrap(async (...parts: unknown[]) => ({ parts }), { key: 'echo' })
    for (const parts of [[1], ['1'], ['a', 'b'], ['a,b'], [['a', 'b']], [], [undefined], [null], ['BY'], ['Az']]) {
      expect((await echo(...parts)).parts).toEqual(parts)
    }
  })

  it('shares entries between functions of one name only', async () => {
    const { cache } = setup()
    const first = cache.wrap(async (id: number) => `first ${id}`, { key: 'user' })
    const second = cache.wrap(async (id: number) => `second ${id}`, { key: 'user(1)' })
    expect([await first(1), await second(1)]).toEqual(['first 1', 'second 1'])
    expect(first.key(1)).toBe('user(1)')
    expect(second.key(1)).toBe('"user(1)"(1)')
  })

  it('takes a key of its own making', async () => {
    const { cache } = setup()
    const user = cache.wrap(async (user: { id: number; session: symbol }) => user.id, {
      key: (user) => `user:${user.id}`,
    })
    expect(await user({ id: 7, session: Symbol('s') })).toBe(7)
    expect(cache.peek('user:7')).toBe(7)
    expect(user.peek({ id: 7, session: Symbol('other') })).toBe(7)
  })

  it('rejects, and does not throw, for arguments that have no key', async () => {
    const { cache } = setup()
    const wrapped = cache.wrap(async (_: unknown) => 1, { key: 'f' })
    await expect(wrapped(new Map())).rejects.toThrow('stable encoding')
  })

  it('hands `this` on, and keeps it out of the key', async () => {
    const { cache } = setup()
    class Users {
      table = 'users'
      find = cache.wrap(
        async function (this: { table: string }, id: number) {
          return `${this.table} ${id}`
        },
        { key: 'find' },
      )
    }
    const users = new Users()
    expect(await users.find(1)).toBe('users 1')
    users.table = 'renamed'
    expect(await users.find(1)).toBe('users 1')
    expect(await users.find(2)).toBe('renamed 2')
  })

  it('invalidates by tags known from the arguments and from the value', async () => {
    const { cache } = setup()
    let loads = 0
    const user = cache.wrap(async (id: number) => ({ id, team: 'red', load: ++loads }), {
      key: 'user',
      tags: (id) => [`user:${id}`],
      tagsOf: ({ team }) => [`team:${team}`],
    })
    await user(1)
    await cache.deleteByTag('user:2')
    expect((await user(1)).load).toBe(1)
    await cache.deleteByTag('user:1')
    expect((await user(1)).load).toBe(2)
    await cache.deleteByTag('team:red')
    expect((await user(1)).load).toBe(3)
  })

  it('does not keep what it loaded when a tag of its arguments was invalidated meanwhile', async () => {
    const { cache } = setup()
    const gates: ((value: string) => void)[] = []
    const slow = cache.wrap((_: number) => new Promise<string>((resolve) => gates.push(resolve)), {
      key: 'slow',
      tags: (id) => [`row:${id}`],
    })
    const first = slow(1)
    await Promise.resolve()
    await cache.deleteByTag('row:1')
    gates[0]!('old')
    expect(await first).toBe('old')
    expect(slow.peek(1)).toBeUndefined()
  })

  it('invalidate forgets, refresh loads and replaces, peek only looks', async () => {
    const { cache } = setup()
    let loads = 0
    const count = cache.wrap(async (_: string) => ++loads, { key: 'count' })
    expect(count.peek('a')).toBeUndefined()
    expect(await count('a')).toBe(1)
    expect(await count.refresh('a')).toBe(2)
    expect(count.peek('a')).toBe(2)
    expect(await count('a')).toBe(2)
    await count.invalidate('a')
    expect(count.peek('a')).toBeUndefined()
    expect(await count('a')).toBe(3)
  })

  it('keeps the old value when refresh fails, and rejects with the error itself', async () => {
    const { cache } = setup()
    const failure = new Error('database is down')
    let fails = false
    const value = cache.wrap(
      async () => {
        if (fails) throw failure
        return 'kept'
      },
      { key: 'value', staleIfError: '1h' },
    )
    await value()
    fails = true
    await expect(value.refresh()).rejects.toBe(failure)
    expect(await value()).toBe('kept')
  })

  it('passes the entry options on', async () => {
    const { cache, clock } = setup()
    let loads = 0
    const wrapped = cache.wrap(async () => ++loads, { key: 'k', ttl: (value) => (value === 1 ? 10 : 1000) })
    await wrapped()
    await clock.advance(11)
    expect(await wrapped()).toBe(2)
    await clock.advance(900)
    expect(await wrapped()).toBe(2)
  })

  it('keeps its entries in the namespace that it was made from', async () => {
    const { cache } = setup()
    const make = (name: string) => cache.namespace(name).wrap(async (id: number) => `${name} ${id}`, { key: 'user' })
    const [one, two] = [make('one'), make('two')]
    expect([await one(1), await two(1)]).toEqual(['one 1', 'two 1'])
    await cache.namespace('one').clear()
    expect([one.peek(1), two.peek(1)]).toEqual([undefined, 'two 1'])
  })
})
