import { expect, test } from 'vitest'
import { FeedError } from '../../core/errors.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { Backoff } from './backoff.ts'
import { clientClass, copyWire, loadFrom, type PgClient } from './client.ts'
import { Listeners } from './listeners.ts'
import { dropNotifyTriggersSql, notifyTriggersSql } from './notify-triggers.ts'

test('the driver is taken as a module, a default export or a class, and its absence is explained', async () => {
  class Client {}
  for (const given of [Client, { Client }, { default: { Client } }])
    expect(await clientClass(given as never)).toBe(Client)
  expect(await clientClass(undefined, async () => ({ default: { Client } }))).toBe(Client)
  await expect(clientClass({} as never)).rejects.toThrow(/client: pg/)
  expect(typeof (await clientClass(undefined))).toBe('function')
  expect(() => loadFrom(import.meta.url, 'no-such-driver')).toThrow(/npm install pg/)
})

test('a client that cannot copy is refused: the native one, or another library', () => {
  expect(() => copyWire({ connection: { stream: {} } } as unknown as PgClient)).toThrow(FeedError)
  expect(() => copyWire({} as unknown as PgClient)).toThrow(/native/)
})

test('each wait is twice as long, up to two seconds, and can be cut short', async () => {
  const clock = manualClock()
  const backoff = new Backoff(clock, () => 1)
  const lengths: number[] = []
  for (let attempt = 0; attempt < 10; attempt++) {
    const from = clock.monotonic()
    let over = false
    const wait = backoff.wait(false, false).then(() => {
      over = true
    })
    while (!over) await clock.advance(1)
    await wait
    lengths.push(clock.monotonic() - from)
  }
  expect(lengths).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000])
  const long = backoff.wait(true, false)
  backoff.skip()
  await long
  expect(clock.pending).toBe(0)
  backoff.reset()
  const short = backoff.wait(false, false)
  await clock.advance(10)
  await short
})

test('a listener that throws is reported, and the others are told', () => {
  const errors: unknown[] = []
  const listeners = new Listeners({ warn() {}, error: (details) => errors.push(details) })
  const heard: string[] = []
  const bad = {
    invalidate: () => {
      throw new Error('no')
    },
    settle() {},
    reset() {},
  }
  const good = { invalidate: (tags: readonly string[]) => heard.push(...tags), settle() {}, reset() {} }
  listeners.add(bad)
  const leave = listeners.add(good)
  listeners.add(good)
  listeners.invalidate(['t'])
  expect(heard).toEqual(['t', 't'])
  expect(errors).toHaveLength(1)
  expect([leave(), leave()]).toEqual([true, false])
  expect(listeners.size).toBe(2)
})

test('names in the shipped SQL are quoted, so that they are names and nothing else', () => {
  const sql = notifyTriggersSql([{ schema: 'a"b', table: "c'd\\e" }, 'plain'])
  expect(sql).toContain(` E'"a""b"."c''d\\\\e"'`)
  expect(sql).toContain(`'"public"."plain"'`)
  expect(dropNotifyTriggersSql([{ schema: 'a"b', table: 't' }])).toBe(
    'DROP TRIGGER IF EXISTS millpond_notify ON "a""b"."t";\n',
  )
  expect(() => notifyTriggersSql([])).toThrow(/at least one table/)
  expect(() => notifyTriggersSql(['a$millpond$; DROP'])).toThrow(/ends the quotation/)
})
