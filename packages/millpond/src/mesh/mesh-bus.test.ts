/** What a member sends that is no message of a bus. The contract of a bus is kept in mesh.test.ts. */
import { expect, test } from 'vitest'
import { BUS_MESSAGE, MeshBus } from './mesh-bus.ts'
import { valueCodec } from './wire/value-codec.ts'

const link = { room: () => 1, messageBytesMax: 65_536, send: () => 1 } as never
const PEER = 7

function bodyOf(wire: unknown): Uint8Array {
  return Buffer.concat([Uint8Array.of(BUS_MESSAGE), valueCodec.encode(wire)])
}

test.each<[string, unknown]>([
  ['no message', 5],
  ['no number', ['1', false, 'shop', 'clear', null, null]],
  ['no cache', [1, false, 5, 'clear', null, null]],
  ['another kind', [1, false, 'shop', 'drop', null, null]],
  ['keys that are none', [1, false, 'shop', 'delete', 5, null]],
  ['a key that is none', [1, false, 'shop', 'delete', ['a', null], null]],
  ['tags that are none', [1, false, 'shop', 'delete', null, 'abc']],
])('%s is refused when it comes, and never reaches a cache', async (_, wire) => {
  const heard: unknown[] = []
  const bus = new MeshBus({ link, ask: () => Promise.resolve(1) })
  bus.end().subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
  bus.lost(PEER)
  heard.length = 0
  expect(() => bus.message(PEER, bodyOf(wire))).toThrow(expect.objectContaining({ code: 'ERR_VALUE' }))
  bus.message(PEER, bodyOf([1, false, 'shop', 'delete', ['a'], null]))
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual([{ cache: 'shop', kind: 'delete', keys: ['a'] }])
})

test('a peer that answers nonsense when it is asked where it stands may have told anything', async () => {
  const heard: unknown[] = []
  const bus = new MeshBus({ link, ask: () => Promise.resolve('many' as never) })
  bus.end().subscribe({ message: ({ cache }) => heard.push(cache), gap: () => heard.push('gap') })
  bus.lost(PEER)
  bus.message(PEER, bodyOf([3, false, 'shop', 'clear', null, null]))
  await new Promise((resolve) => setImmediate(resolve))
  bus.message(PEER, bodyOf([4, false, 'shop', 'clear', null, null]))
  expect(heard.slice(-3)).toEqual(['gap', 'shop', 'shop'])
})

test('what finds no place among those that wait rejects, and the next message tells the others of the gap', async () => {
  const sent: Uint8Array[] = []
  let room = 0
  const narrow = { room: () => room, messageBytesMax: 65_536, send: (body: Uint8Array) => sent.push(body) } as never
  const bus = new MeshBus({ link: narrow, ask: () => Promise.resolve(0) })
  const end = bus.end()
  const clear = { cache: 'shop', kind: 'clear' } as const
  const published = [end.publish(clear)]
  await Promise.resolve()
  await expect(end.publish({ ...clear, kind: 'delete', keys: manyKeys() })).rejects.toMatchObject({ code: 'ERR_MESH' })
  published.push(end.publish(clear))
  await Promise.resolve()
  room = 1
  bus.room()
  await Promise.all(published)
  const wire = sent.map((body) => valueCodec.decode(body.subarray(1)) as unknown[])
  expect(wire.map(([number, afterGap]) => [number, afterGap])).toEqual([
    [1, true],
    [2, false],
  ])
})

/** So many that they take more messages than may wait. */
function manyKeys(): string[] {
  return Array.from({ length: 11_000 }, (_, at) => `${at}`.padEnd(20_000))
}
