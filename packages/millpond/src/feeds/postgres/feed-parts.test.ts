import { expect, test } from 'vitest'
import { FeedError } from '../../core/errors.ts'
import { clientClass, copyWire, type PgClient } from './client.ts'
import { dropNotifyTriggersSql, notifyTriggersSql } from './notify-triggers.ts'

test('the driver is taken as a module, a default export or a class, and its absence is explained', async () => {
  class Client {}
  for (const given of [Client, { Client }, { default: { Client } }])
    expect(await clientClass(given as never)).toBe(Client)
  expect(await clientClass(undefined, async () => ({ default: { Client } }))).toBe(Client)
  await expect(clientClass({} as never)).rejects.toThrow(/client: pg/)
  expect(typeof (await clientClass(undefined))).toBe('function')
  const absent = () => Promise.reject(new Error('no pg here'))
  await expect(clientClass(undefined, absent)).rejects.toThrow(/npm install pg/)
})

test('a client that cannot copy is refused: the native one, or another library', () => {
  expect(() => copyWire({ connection: { stream: {} } } as unknown as PgClient)).toThrow(FeedError)
  expect(() => copyWire({} as unknown as PgClient)).toThrow(/native/)
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
