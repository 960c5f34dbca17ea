import { describe, expect, expectTypeOf, it } from 'vitest'
import { jsonCodec } from '../core/codec.ts'
import { OptionError, ValueError } from '../core/errors.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import type { CacheOptions } from './options.ts'
import type { SourceOptions } from './source-options.ts'

interface User {
  readonly id: number
  readonly name: string
}

/** A table with what reached it, and a source in front of it. */
function setup(given: Partial<SourceOptions<number, User>> = {}, cacheOptions: CacheOptions = {}) {
  const clock = manualClock()
  const cache = createCache({ clock, ttl: '1m', ...cacheOptions })
  const rows = new Map<number, User>([1, 2, 3, 4, 5].map((id) => [id, { id, name: `user ${id}` }]))
  const queries: string[] = []
  const users = cache.define<number, User>({
    name: 'user',
    load: (id) => {
      queries.push(`load ${id}`)
      return rows.get(id)
    },
    write: async (id, user) => {
      queries.push(`write ${id}`)
      await Promise.resolve()
      rows.set(id, user)
    },
    remove: async (id) => {
      queries.push(`remove ${id}`)
      rows.delete(id)
    },
    ...given,
  })
  return { cache, clock, rows, queries, users }
}

/** A source of the same rows that loads in batches only. */
function batched(given: Partial<SourceOptions<number, User>> = {}) {
  const { cache, clock, rows } = setup()
  const batches: number[][] = []
  const users = cache.define<number, User>({
    name: 'batched',
    loadMany: async (ids) => {
      batches.push([...ids])
      await Promise.resolve()
      return new Map(ids.flatMap((id) => (rows.has(id) ? [[id, rows.get(id)!] as const] : [])))
    },
    ...given,
  })
  return { users, batches, clock }
}

describe('a source', () => {
  it('reads through, and infers its types', async () => {
    const { cache, users, queries } = setup()
    expect(await users.get(1)).toEqual({ id: 1, name: 'user 1' })
    expect(await users.get(1)).toEqual({ id: 1, name: 'user 1' })
    expect(queries).toEqual(['load 1'])
    expect(users.peek(1)).toEqual({ id: 1, name: 'user 1' })
    const inferred = cache.define({ name: 'x', load: async (id: string) => (id ? { id } : undefined) })
    expectTypeOf<ReturnType<typeof inferred.get>>().toEqualTypeOf<Promise<{ id: string } | undefined>>()
  })

  it('remembers that there is nothing, for negativeTtl', async () => {
    const { clock, users, queries } = setup({ negativeTtl: '1s', ttl: (user) => user.id * 60_000 })
    expect(await users.get(99)).toBeUndefined()
    expect(await users.get(99)).toBeUndefined()
    expect(queries).toEqual(['load 99'])
    await clock.advance(1001)
    await users.get(99)
    expect(queries).toEqual(['load 99', 'load 99'])
  })

  it('keeps names, versions and ids apart', async () => {
    const { cache, users } = setup()
    const load = (what: string) => (id: unknown) => `${what} ${String(id)}`
    const second = cache.define({ name: 'user', version: 2, load: load('second') })
    const text = cache.define({ name: 'user.2', load: load('text') })
    await users.get(1)
    expect(await second.get(1)).toBe('second 1')
    expect(await text.get('1')).toBe('text 1')
    expect(new Set([users.key(1), second.key(1), second.key('1'), text.key(1), users.key(11)]).size).toBe(5)
    expect(users.key(1)).toBe('user@1(1)')
  })

  it('tells ids apart by `key` where that is given', async () => {
    const { cache } = setup()
    let loads = 0
    const source = cache.define({
      name: 's',
      key: (id: { tenant: string; session: symbol }) => id.tenant,
      load: (id) => `${id.tenant} ${++loads}`,
    })
    expect(await source.get({ tenant: 'a', session: Symbol('1') })).toBe('a 1')
    expect(await source.get({ tenant: 'a', session: Symbol('2') })).toBe('a 1')
  })

  it('rejects with the error of the loader, and tries again at the next read', async () => {
    const failure = new Error('down')
    let fails = true
    const { users } = setup({
      load: (id) => {
        if (fails) throw failure
        return { id, name: 'back' }
      },
    })
    await expect(users.get(1)).rejects.toBe(failure)
    fails = false
    expect((await users.get(1))?.name).toBe('back')
  })

  it('refresh loads whatever is kept; expire makes the next read load', async () => {
    const { users, rows, queries } = setup()
    await users.get(1)
    rows.set(1, { id: 1, name: 'changed' })
    expect((await users.refresh(1))?.name).toBe('changed')
    expect(users.peek(1)?.name).toBe('changed')
    await users.expire(1)
    expect(users.peek(1)).toBeUndefined()
    await users.get(1)
    expect(queries).toEqual(['load 1', 'load 1', 'load 1'])
  })

  it('is invalidated by tags of the id and of the value, also where the value was set', async () => {
    const { cache, users, queries } = setup({ tags: (id) => [`users:${id}`], tagsOf: (user) => [`name:${user.name}`] })
    await users.get(1)
    await cache.deleteByTag('users:1')
    await users.get(1)
    await cache.deleteByTag('name:user 1')
    await users.get(1)
    expect(queries).toEqual(['load 1', 'load 1', 'load 1'])
    await users.set(1, { id: 1, name: 'set' })
    expect(users.peek(1)?.name).toBe('set')
    await cache.deleteByTag('name:set')
    expect(users.peek(1)).toBeUndefined()
  })

  it.each([
    [{ name: 'a b' }, 'name'],
    [{ version: 'x@y' }, 'version'],
    [{ batch: { maxSize: 0 }, loadMany: async () => new Map() }, 'batch.maxSize'],
  ])('refuses %o', (given, option) => {
    const { cache } = setup()
    const define = () => cache.define<number, User>({ name: 'n', load: () => undefined, ...given })
    expect(define).toThrow(OptionError)
    expect(define).toThrow(option)
  })

  it('needs a loader, and a writer where it is written', async () => {
    const { cache } = setup()
    expect(() => cache.define({ name: 'none' })).toThrow('load or a loadMany')
    const readOnly = cache.define<number, number>({ name: 'readonly', load: (id) => id })
    await expect(readOnly.set(1, 1)).rejects.toThrow('write or a writeMany')
  })
})

describe('batching', () => {
  it('makes one loadMany of the gets of a tick', async () => {
    const { users, batches } = batched()
    const found = await Promise.all([users.get(3), users.get(1), users.get(3), users.get(2)])
    expect(found.map((user) => user?.id)).toEqual([3, 1, 3, 2])
    expect(batches).toEqual([[3, 1, 2]])
  })

  it('shares loads between get and getMany, whoever asks first: one load a key', async () => {
    const { users, batches } = batched()
    const [one, many, again] = await Promise.all([users.get(1), users.getMany([2, 1, 2, 99]), users.get(2)])
    expect(one?.id).toBe(1)
    expect(many.map((user) => user?.id)).toEqual([2, 1, 2, undefined])
    expect(again?.id).toBe(2)
    expect(batches.flat().toSorted()).toEqual([1, 2, 99])
    await users.getMany([1, 2, 99])
    expect(batches.flat()).toHaveLength(3)
  })

  it('does not load again in getMany what a single load already loads', async () => {
    let release = () => {}
    const loads: string[] = []
    const { cache } = setup()
    const both = cache.define<number, string>({
      name: 'both',
      load: async (id) => {
        loads.push(`one ${id}`)
        await new Promise<void>((resolve) => (release = resolve))
        return `one ${id}`
      },
      loadMany: async (ids) => {
        loads.push(`many ${ids.join()}`)
        return new Map(ids.map((id) => [id, `many ${id}`]))
      },
    })
    const one = both.get(1)
    const many = both.getMany([1, 2])
    await new Promise((resolve) => setImmediate(resolve))
    release()
    expect(await one).toBe('one 1')
    expect(await many).toEqual(['one 1', 'many 2'])
    expect(loads).toEqual(['one 1', 'many 2'])
  })

  it('splits by maxSize, and a batch that fails rejects its own reads only', async () => {
    const failure = new Error('bad row')
    const { users, batches } = batched({
      batch: { maxSize: 2 },
      loadMany: async (ids) => {
        batches.push([...ids])
        if (ids.includes(3)) throw failure
        return new Map(ids.map((id) => [id, { id, name: '' }]))
      },
    })
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map((id) => users.get(id)))
    expect(batches).toEqual([[1, 2], [3, 4], [5]])
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, false, true])
    expect((outcomes[3] as PromiseRejectedResult).reason).toBe(failure)
  })

  it('says what is wrong when loadMany returns an array', async () => {
    const { users } = batched({ loadMany: (async () => []) as never })
    await expect(users.get(1)).rejects.toThrow('return a Map')
  })

  it('takes options of one entry from loadMany', async () => {
    const { users, clock, batches } = batched({
      loadMany: async (ids, ctx) => {
        batches.push([...ids])
        ctx.set(1, { ttl: 10 })
        return new Map(ids.map((id) => [id, { id, name: '' }]))
      },
    })
    await users.getMany([1, 2])
    await clock.advance(11)
    await users.getMany([1, 2])
    expect(batches).toEqual([[1, 2], [1]])
  })

  it('aborts a batch only when nobody waits for any of it', async () => {
    const signals: AbortSignal[] = []
    const { users } = batched({
      loadMany: (_, ctx) => {
        signals.push(ctx.signal)
        return new Promise(() => {})
      },
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const reads = [users.get(1, { signal: one.signal }), users.get(2, { signal: two.signal })]
    const settled = Promise.allSettled(reads)
    await new Promise((resolve) => setImmediate(resolve))
    one.abort(new Error('gone'))
    expect(signals[0]?.aborted).toBe(false)
    two.abort(new Error('gone'))
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(signals[0]?.aborted).toBe(true)
  })
})

describe('write-through', () => {
  it('writes, then keeps what it wrote', async () => {
    const { users, rows, queries } = setup()
    await users.get(1)
    await users.set(1, { id: 1, name: 'new' })
    expect(rows.get(1)?.name).toBe('new')
    expect((await users.get(1))?.name).toBe('new')
    expect(queries).toEqual(['load 1', 'write 1'])
  })

  it('keeps nothing when the write fails, and rejects with its error', async () => {
    const failure = new Error('constraint')
    const { users, queries } = setup({
      write: () => {
        throw failure
      },
    })
    await users.get(1)
    await expect(users.set(1, { id: 1, name: 'bad' })).rejects.toBe(failure)
    expect((await users.get(1))?.name).toBe('user 1')
    expect(queries).toEqual(['load 1', 'load 1'])
  })

  it('does not keep what a load beside it had read before', async () => {
    let release = (_: User) => {}
    const { users } = setup({ load: () => new Promise<User>((resolve) => (release = resolve)) })
    const reading = users.get(1)
    await Promise.resolve()
    await users.set(1, { id: 1, name: 'new' })
    release({ id: 1, name: 'old' })
    expect((await reading)?.name).toBe('old')
    expect(users.peek(1)?.name).toBe('new')
  })

  it('does not keep its value when someone else invalidated the key while it wrote', async () => {
    const { cache, users, rows } = setup({
      write: async (id, user) => {
        rows.set(id, user)
        rows.set(id, { id, name: 'newer, by another' })
        await cache.delete(users.key(id))
      },
    })
    await users.set(1, { id: 1, name: 'mine' })
    expect((await users.get(1))?.name).toBe('newer, by another')
  })

  it('runs the writes of one id one after the other', async () => {
    const running: string[] = []
    const { users } = setup({
      write: async (_, user) => {
        running.push(`begin ${user.name}`)
        await new Promise((resolve) => setImmediate(resolve))
        running.push(`end ${user.name}`)
      },
    })
    await Promise.all(['a', 'b', 'c'].map((name) => users.set(1, { id: 1, name })))
    expect(running).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c'])
    expect(users.peek(1)?.name).toBe('c')
  })

  it('updates without losing one of many', async () => {
    const { cache } = setup()
    let row = 0
    const counter = cache.define<string, number>({
      name: 'counter',
      load: () => row,
      write: async (_, value) => {
        await Promise.resolve()
        row = value
      },
    })
    await Promise.all(Array.from({ length: 50 }, () => counter.update('hits', (count = 0) => count + 1)))
    expect([row, await counter.get('hits')]).toEqual([50, 50])
  })

  it('deletes by delete and by an update that returns undefined', async () => {
    const { users, rows, queries } = setup()
    await users.get(1)
    await users.delete(1)
    expect(rows.has(1)).toBe(false)
    expect(await users.get(1)).toBeUndefined()
    expect(await users.update(2, () => undefined)).toBeUndefined()
    expect(rows.has(2)).toBe(false)
    expect(queries).toEqual(['load 1', 'remove 1', 'load 1', 'load 2', 'remove 2'])
  })

  it('only forgets on delete where there is no remove', async () => {
    const { cache, rows } = setup()
    const source = cache.define<number, User>({ name: 'kept', load: (id) => rows.get(id) })
    await source.get(1)
    await source.delete(1)
    expect(source.peek(1)).toBeUndefined()
    expect(await source.get(1)).toEqual(rows.get(1))
  })

  it('puts what it wrote into the store for other processes', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const here = setup({}, { clock, store })
    const there = setup({ load: () => expect.unreachable('the store has it') }, { clock, store })
    await here.users.set(1, { id: 1, name: 'shared' })
    expect((await there.users.get(1))?.name).toBe('shared')
  })
})

/** A schema by hand, as zod or valibot would give: names are trimmed. */
function userSchema(asynchronous = false): StandardSchema<User> {
  const validate = (value: unknown) => {
    const user = value as Partial<User>
    if (typeof user?.name !== 'string') return { issues: [{ message: 'expected a string', path: ['name'] }] }
    return user.name === user.name.trim()
      ? { value: user as User }
      : { value: { ...user, name: user.name.trim() } as User }
  }
  return {
    '~standard': { version: 1, vendor: 'test', validate: asynchronous ? async (value) => validate(value) : validate },
  }
}

describe.each([false, true])('a schema (asynchronous: %s)', (asynchronous) => {
  it('checks and shapes what is loaded and written', async () => {
    const { users, rows } = setup({ schema: userSchema(asynchronous) })
    rows.set(1, { id: 1, name: '  spaced ' })
    rows.set(2, { id: 2 } as User)
    expect((await users.get(1))?.name).toBe('spaced')
    await expect(users.get(2)).rejects.toThrow(ValueError)
    await expect(users.get(2)).rejects.toThrow('name: expected a string')
    await expect(users.set(3, { id: 3 } as User)).rejects.toThrow('name: expected a string')
    expect(rows.get(3)?.name).toBe('user 3')
    expect(await users.get(99)).toBeUndefined()
  })

  it('takes a value in the store that does not pass for a miss, and tells', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const old = setup({ load: (id) => ({ id, title: 'of an older release' }) as never }, { clock, store })
    await old.users.get(1)
    const now = setup({ schema: userSchema(asynchronous) }, { clock, store })
    const told: string[] = []
    now.cache.on('decodeError', ({ key }) => told.push(key))
    const all = await Promise.all([now.users.get(1), now.users.get(1), now.users.get(1)])
    expect(all.map((user) => user?.name)).toEqual(['user 1', 'user 1', 'user 1'])
    expect(now.queries).toEqual(['load 1'])
    expect(new Set(told)).toEqual(new Set(['user@1(1)']))
    expect((await now.users.get(1))?.name).toBe('user 1')
    expect(now.queries).toHaveLength(1)
  })
})

it('checks an object of the near tier once, not once a read', async () => {
  let checks = 0
  const schema = userSchema()
  const counting: StandardSchema<User> = {
    '~standard': {
      ...schema['~standard'],
      validate: (value) => {
        checks++
        return schema['~standard'].validate(value)
      },
    },
  }
  const { users } = setup({ schema: counting })
  await users.get(1)
  await users.get(1)
  expect(users.peek(1)?.id).toBe(1)
  expect(checks).toBe(1)
})

describe('a codec of its own', () => {
  class Money {
    readonly cents: number
    constructor(cents: number) {
      this.cents = cents
    }
  }
  const codec = {
    encode: (value: unknown) => `${(value as Money).cents} cents`,
    decode: (text: string) => {
      if (!text.endsWith(' cents')) throw new Error(`no money: ${text}`)
      return new Money(Number.parseInt(text, 10))
    },
  }

  it('keeps classes, and gives each reader an object of its own', async () => {
    const { cache } = setup()
    let loads = 0
    const prices = cache.define<string, Money>({
      name: 'price',
      codec,
      ttl: (money) => money.cents,
      load: (id) => {
        loads++
        return id === 'none' ? undefined : new Money(1999)
      },
      write: () => {},
    })
    const [first, second] = [await prices.get('a'), await prices.get('a')]
    expect(first).toEqual(new Money(1999))
    expect(first).toBeInstanceOf(Money)
    expect(second).not.toBe(first)
    expect(prices.peek('a')).toEqual(new Money(1999))
    expect(cache.peek(prices.key('a'))).toBe('1999 cents')
    expect(await prices.get('none')).toBeUndefined()
    await prices.set('b', new Money(5))
    expect(await prices.get('b')).toEqual(new Money(5))
    expect(loads).toBe(2)
  })

  it('takes text that does not decode for a miss, and tells', async () => {
    const { cache } = setup()
    const prices = cache.define<string, Money>({ name: 'price', codec, load: () => new Money(1) })
    await cache.set(prices.key('a'), 'of a later release')
    const told: unknown[] = []
    cache.on('decodeError', ({ error }) => told.push(error))
    expect(prices.peek('a')).toBeUndefined()
    expect(await prices.get('a')).toEqual(new Money(1))
    expect(told).toHaveLength(1)
  })

  it('shows loaders the decoded stale value', async () => {
    const { cache, clock } = setup()
    const seen: unknown[] = []
    const prices = cache.define<string, Money>({
      name: 'price',
      codec,
      ttl: 10,
      staleIfError: '1h',
      load: (_, ctx) => {
        seen.push(ctx.stale)
        return ctx.stale ? ctx.notModified() : new Money(7)
      },
    })
    await prices.get('a')
    await clock.advance(11)
    expect(await prices.get('a')).toEqual(new Money(7))
    expect(seen).toEqual([undefined, new Money(7)])
    expect(prices.peek('a')).toEqual(new Money(7))
  })

  it('works with the default codec', async () => {
    const { cache } = setup()
    const source = cache.define({ name: 'd', codec: jsonCodec, load: () => new Map([[1, new Date(0)]]) })
    await source.get(1)
    expect(await source.get(1)).toEqual(new Map([[1, new Date(0)]]))
  })
})
