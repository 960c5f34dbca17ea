import { expect, test } from 'vitest'
import { manualClock } from '../../../testing/manual-clock.ts'
import { Watches } from '../watches.ts'
import type { RelayedWatch } from './messages.ts'
import { Registrations } from './registrations.ts'

const table = { schema: 'public', table: 'orders' }

function setUp() {
  const clock = manualClock()
  const watches = new Watches()
  const sent: { number: number; watches: readonly RelayedWatch[] }[] = []
  const registrations = new Registrations({
    watches,
    clock,
    send: (number, batch) => sent.push({ number, watches: batch }),
  })
  const ackLast = async (): Promise<void> => {
    registrations.ack(sent.at(-1)!.number)
    await clock.advance(0)
  }
  return { clock, watches, sent, registrations, ackLast }
}

test('many watches go in several messages; what has not gone yet is still unknown to the feeder', async () => {
  const { clock, watches, sent, registrations, ackLast } = setUp()
  const made = Array.from({ length: 250 }, (_, at) => watches.watch({ table, columns: [`c${at}`], used: undefined }))
  registrations.changed()
  registrations.changed()
  await clock.advance(0)
  expect(sent.map((one) => one.watches.length)).toEqual([100])
  expect(registrations.unknownTags(['orders', 'orders:1'])).toHaveLength(250)
  await ackLast()
  expect(sent.map((one) => one.watches.length)).toEqual([100, 100])
  expect(registrations.unknownTags(['orders'])).toEqual(made.slice(100).map(({ tag }) => tag))
  await ackLast()
  await ackLast()
  expect(registrations.unknownTags(['orders'])).toEqual([])
  expect(new Set(sent.flatMap((one) => one.watches.map(({ rows }) => rows))).size).toBe(250)
  expect(clock.pending).toBe(0)
})

test('a range that is named later makes its watch unknown again, and goes with its values', async () => {
  const { clock, watches, sent, registrations, ackLast } = setUp()
  const watch = watches.watch({ table, columns: ['tenant'], range: 'price', used: undefined })
  registrations.changed()
  await clock.advance(0)
  await ackLast()
  watch.tags([['7']], { low: 3n, high: undefined })
  expect(registrations.unknownTags(['orders'])).toEqual([watch.tag])
  registrations.changed()
  await clock.advance(0)
  expect(sent.at(-1)!.watches).toEqual([{ rows: watch.rows, values: ['7'], range: ['3', null] }])
  // What is named while a message is under way goes with the next.
  watch.tags([['8']], { low: undefined, high: 2n })
  registrations.changed()
  await ackLast()
  expect(registrations.unknownTags(['orders'])).toEqual([watch.tag])
  expect(sent.at(-1)!.watches).toEqual([{ rows: watch.rows, values: ['8'], range: [null, '2'] }])
  await ackLast()
  expect(registrations.unknownTags(['orders'])).toEqual([])
})

test('a message that is not acknowledged is sent again; a late acknowledgement of an earlier one proves nothing', async () => {
  const { clock, watches, sent, registrations } = setUp()
  const watch = watches.watch({ table, columns: ['tenant'], used: undefined })
  registrations.changed()
  await clock.advance(500)
  expect(sent).toHaveLength(3)
  registrations.ack(sent[0]!.number)
  expect(registrations.unknownTags(['orders'])).toEqual([watch.tag])
  registrations.ack(sent[2]!.number)
  expect(registrations.unknownTags(['orders'])).toEqual([])
  registrations.stop()
  watches.watch({ table, columns: ['id'], used: undefined })
  registrations.changed()
  await clock.advance(1000)
  expect(sent).toHaveLength(3)
})
