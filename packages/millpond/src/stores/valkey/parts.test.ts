/** The parts of the store that need no server. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OptionError, StoreError } from '../../core/errors.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { Names } from '../names.ts'
import { expiry, readStored, storedText } from '../stored-text.ts'
import { failedAt } from './connection.ts'
import { ServerClock } from './server-clock.ts'
import { bySlot, slotOf } from './slot.ts'
import { placeOf } from './url.ts'

describe('names', () => {
  const names = new Names('')
  const asSent = (name: string) => Buffer.from(name).toString()
  const anyText = fc.string({ unit: 'binary' }).map((text) => text) // code points
  const brokenText = fc.array(fc.constantFrom('a', '#', '@', '\ud800', '\udc00', '\ufffd', 'd800', '\u{1f600}')).map((parts) => parts.join('')) // biome-ignore format: one line

  test('two texts never have one name, whatever kind they are of', () => {
    const kinds = ['entry', 'version', 'lease'] as const
    const named = fc.tuple(fc.constantFrom(...kinds), fc.oneof(anyText, brokenText))
    fc.assert(
      fc.property(named, named, ([kind, text], [otherKind, other]) => {
        const isSame = kind === otherKind && text === other
        expect(asSent(names[kind](text)) === asSent(names[otherKind](other))).toBe(isSame)
      }),
      { numRuns: 2000 },
    )
  })

  test('are the texts themselves where nothing is lost', () => {
    expect(names.entry('shop:17')).toBe('shop:17')
    expect(names.version('shop#red')).toBe('#shop#red')
    expect(new Names('app:').lease('shop:17')).toBe('app:@shop:17')
    expect(names.entry('#a')).toBe('\ufffd0023a')
    expect(names.entry('\ud800')).toBe('\ufffdd800')
  })
})

describe('slots', () => {
  test.each([
    ['123456789', 0x31c3],
    ['', 0],
    ['foo{bar}{zap}', 5061],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['ü€', 9284],
    ['{a}1', 15495],
  ])('%j is in %d', (key, slot) => expect(slotOf(key)).toBe(slot))

  test('keys of one slot are a group', () => {
    expect(bySlot(['{a}1', 'b', '{a}2'])).toEqual([[0, 2], [1]]) // biome-ignore format: one line
  })
})

describe('stored texts', () => {
  const record = { value: '{"a":1}', freshMs: 1000, keepMs: 5000, tags: [['', 'v']] as const, etag: 'e' }

  test('a record is read with what is left of its life', () => {
    const text = storedText(record, 1_000_000)
    const { mark } = readStored(text, 1_000_000)
    expect(mark).toHaveLength(16)
    expect(readStored(text, 1_000_400)).toEqual({ mark, record: { ...record, freshMs: 600, keepMs: 4600 } })
    expect(readStored(text, 1_003_000)).toEqual({ mark, record: { ...record, freshMs: 0, keepMs: 2000 } })
    expect(readStored(text, 1_005_000)).toEqual({ mark })
  })

  test.each([null, undefined])('%s is an absent key', (text) => expect(readStored(text, 0)).toEqual({ mark: '' }))

  test.each(['', 'hello', '{"a":1}', '1', 'é'.repeat(30)])('%j is somebody elses', (text) => {
    expect(readStored(text, 0)).toEqual({ mark: '?' })
  }) // biome-ignore format: one line

  test('what a later form has stored, or what was cut off, has the mark that it was given', () => {
    expect(readStored('2z0123456789abcdef...', 0)).toEqual({ mark: '0123456789abcdef' })
    expect(readStored('1r0123456789abcdef[1,2', 0)).toEqual({ mark: '0123456789abcdef' })
  })

  test('lives are whole milliseconds, at least one, or for ever', () => {
    expect(expiry(0)).toEqual(['px', '1'])
    expect(expiry(1.2)).toEqual(['px', '2'])
    expect(expiry(1e14)).toEqual([])
    expect(expiry(Number.POSITIVE_INFINITY)).toEqual([])
  })
})

describe('the time of the servers', () => {
  /** Servers that are ahead of the process by `aheadMs`, with `delayMs` each way. */
  function given({ aheadMs = [50_000], delayMs = 1 } = {}) {
    const clock = manualClock()
    const world = { aheadMs, delayMs, asked: 0, fails: false }
    const time = new ServerClock(clock, async () => {
      world.asked++
      clock.advanceNow(world.delayMs)
      if (world.fails) throw new StoreError('gone')
      const answers = world.aheadMs.map((ahead) => {
        const micros = Math.round((clock.monotonic() + ahead) * 1000)
        return [`${Math.floor(micros / 1e6)}`, `${micros % 1e6}`]
      })
      clock.advanceNow(world.delayMs)
      return answers
    })
    return { clock, world, time, nowMs: (server = 0) => clock.monotonic() + world.aheadMs[server]! }
  }

  test('is known between bounds, which are as far apart as asking took', async () => {
    const { time, nowMs } = given({ delayMs: 3 })
    await time.refresh()
    expect(time.earliestMs()).toBeLessThanOrEqual(nowMs())
    expect(time.latestMs()).toBeGreaterThanOrEqual(nowMs())
    expect(time.latestMs() - time.earliestMs()).toBeCloseTo(6, 1)
  })

  test('bounds hold for each of several servers', async () => {
    const { time, nowMs } = given({ aheadMs: [100, 900] })
    await time.refresh()
    expect(time.earliestMs()).toBeLessThanOrEqual(nowMs(0))
    expect(time.latestMs()).toBeGreaterThanOrEqual(nowMs(1))
  })

  test('a better answer narrows the bounds, a worse one does not widen them', async () => {
    const { clock, world, time } = given({ delayMs: 40 })
    await time.refresh()
    for (const delayMs of [1, 40]) {
      world.delayMs = delayMs
      await clock.advance(10_000)
      expect(time.refresh()).toBeUndefined()
      await clock.advance(0)
      expect(time.latestMs() - time.earliestMs()).toBeLessThan(15)
    }
    expect(world.asked).toBe(3)
  })

  test('a clock that was set is believed, and after a doubt it is waited for', async () => {
    const { clock, world, time, nowMs } = given()
    await time.refresh()
    world.aheadMs = [10]
    time.doubt()
    await time.refresh()
    expect(Math.abs(time.latestMs() - nowMs())).toBeLessThan(5)
    world.aheadMs = [90_000]
    await clock.advance(10_000)
    void time.refresh()
    await clock.advance(0)
    expect(time.earliestMs()).toBeLessThanOrEqual(nowMs())
    expect(time.latestMs()).toBeGreaterThanOrEqual(nowMs())
  })

  test('a failure is told to who waits, and else leaves what is known', async () => {
    const { clock, world, time } = given()
    world.fails = true
    await expect(time.refresh()).rejects.toThrow('gone')
    expect(() => time.latestMs()).toThrow(StoreError)
    world.fails = false
    await time.refresh()
    world.fails = true
    await clock.advance(10_000)
    expect(time.refresh()).toBeUndefined()
    await clock.advance(0)
    expect(time.latestMs()).toBeGreaterThan(0)
  })
})

describe('errors of clients', () => {
  const command = (name: string) => ({ name, args: ['shop:17', 'secret'] })

  test('do not keep what was sent: a password, a value', () => {
    const cause = Object.assign(new Error('NOPERM'), { command: command('evalsha') })
    const around = Object.assign(new Error('all failed'), { lastNodeError: Object.assign(new Error('no'), { command: command('auth') }) }) // biome-ignore format: one line
    for (const error of [failedAt('set', cause), failedAt('set', around), failedAt('set', cause, around)])
      expect(inspect(error, { depth: 9 })).not.toContain('secret')
  })

  test('of a cluster say why, and none says nothing', () => {
    class TimeoutError extends Error {}
    const around = Object.assign(new Error('all failed'), { lastNodeError: new Error('WRONGPASS no') })
    expect(failedAt('connect', new Error('none'), around).message).toBe('connect: none (WRONGPASS no)')
    expect(failedAt('set', new TimeoutError()).message).toBe('set: TimeoutError')
    expect(failedAt('set', 'text').message).toBe('set: text')
    expect(failedAt('set', undefined).message).toBe('set: undefined')
  })
})

describe('URLs', () => {
  test.each([
    ['redis://localhost', { topology: 'single', hosts: [{ host: 'localhost', port: 6379 }], tls: false, database: 0 }],
    ['valkeys://ann:p%40ss@h:7/3', { topology: 'single', hosts: [{ host: 'h', port: 7 }], tls: true, username: 'ann', password: 'p@ss', database: 3 }],
    ['rediss://:secret@[::1]:7', { topology: 'single', hosts: [{ host: '::1', port: 7 }], tls: true, password: 'secret', database: 0 }],
    ['redis://a,b:7000', { topology: 'cluster', hosts: [{ host: 'a', port: 6379 }, { host: 'b', port: 7000 }], tls: false, database: 0 }],
    ['valkey+cluster://a', { topology: 'cluster', hosts: [{ host: 'a', port: 6379 }], tls: false, database: 0 }],
    ['redis+sentinel://a,b:7/main/2', { topology: 'sentinel', hosts: [{ host: 'a', port: 26379 }, { host: 'b', port: 7 }], primary: 'main', tls: false, database: 2 }],
    ['unix:///run/redis.sock', { topology: 'single', hosts: [], path: '/run/redis.sock', tls: false, database: 0 }],
  ])('%s', (url, place) => expect(placeOf(url, 'client')).toEqual(place)) // biome-ignore format: one line

  test.each(['', 'localhost:6379', 'http://h', 'redis://', 'redis://h/x', 'redis://h/1/2', 'redis://a,b/1', 'redis+sentinel://h', 'redis://h:x', 'redis://h:70000', 'redis://h/-1', 'redis://:100%@h', 'redis+sentinel://h/50%', 'redis://h?a=b', 'unix:x'])('%s is refused', (url) => {
    expect(() => placeOf(url, 'client')).toThrow(OptionError)
  }) // biome-ignore format: one line

  test.each(['redis://ann:secret@h:x', 'ann:secret@h', 'redis:secret@h', 'redis://ann:x@secret@h', 'redis://:secret%@h'])('%s: the password is not shown', (url) => {
    expect(() => placeOf(url, 'client')).toThrow(/^(?!.*secret).*@h/)
  }) // biome-ignore format: one line
})
