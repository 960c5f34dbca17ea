import { expect, test } from 'vitest'
import { MemcachedTest, type TestConnection } from './testing.ts'

const OPAQUE = 0xcafe

function frame(opcode: number, key = '', value = '', extras: Buffer = Buffer.alloc(0), cas = 0n): Buffer {
  const head = Buffer.alloc(24)
  head[0] = 0x80
  head[1] = opcode
  head.writeUInt16BE(key.length, 2)
  head[4] = extras.length
  head.writeUInt32BE(extras.length + key.length + value.length, 8)
  head.writeUInt32BE(OPAQUE, 12)
  head.writeBigUInt64BE(cas, 16)
  return Buffer.concat([head, extras, Buffer.from(key + value, 'latin1')])
}

interface Answer {
  readonly opcode: number
  readonly status: number
  readonly cas: bigint
  readonly body: string
}

function ask(connection: TestConnection, ...frames: readonly Buffer[]): Answer[] {
  return answersIn(connection.say(Buffer.concat(frames)))
}

function answersIn(text: string): Answer[] {
  const bytes = Buffer.from(text, 'latin1')
  const answers: Answer[] = []
  for (let at = 0; at < bytes.length; ) {
    expect([bytes[at], bytes.readUInt32BE(at + 12)]).toEqual([0x81, OPAQUE])
    const end = at + 24 + bytes.readUInt32BE(at + 8)
    const body = bytes.toString('latin1', at + 24, end)
    answers.push({
      opcode: bytes[at + 1]!,
      status: bytes.readUInt16BE(at + 6),
      cas: bytes.readBigUInt64BE(at + 16),
      body,
    })
    at = end
  }
  return answers
}

const STORE = Buffer.from([0, 0, 0, 5, 0, 0, 0, 0])

test('an item has a cas that its answers tell, and that must fit', () => {
  const connection = new MemcachedTest().connect()
  const [set] = ask(connection, frame(0x01, 'key', 'value', STORE))
  expect(set).toMatchObject({ status: 0, body: '' })
  expect(set!.cas).toBeGreaterThan(0n)
  expect(ask(connection, frame(0x00, 'key'))).toEqual([
    { opcode: 0, status: 0, cas: set!.cas, body: '\0\0\0\x05value' },
  ])
  expect(ask(connection, frame(0x01, 'key', 'x', STORE, set!.cas + 1n))[0]).toMatchObject({ status: 2, cas: 0n })
  expect(ask(connection, frame(0x04, 'key', '', undefined, set!.cas))[0]!.status).toBe(0)
  expect(ask(connection, frame(0x0c, 'key'))[0]).toMatchObject({ status: 1, body: 'key' })
})

test('a value of the Redis protocol is given a cas when it is first read', () => {
  const world = new MemcachedTest()
  world.service.client().say('set key value ex 100')
  const [first] = ask(world.connect(), frame(0x00, 'key'))
  const [second] = ask(world.connect(), frame(0x00, 'key'))
  expect(first).toMatchObject({ status: 0, body: '\0\0\0\0value' })
  expect(first!.cas).toBeGreaterThan(0n)
  expect(second!.cas).toBe(first!.cas)
  expect(world.service.client().say('ttl key')).toBe(100)
})

test('quiet requests answer what is out of the ordinary, however their bytes come', () => {
  const requests = Buffer.concat([
    frame(0x11, 'key', 'value', STORE),
    frame(0x09, 'none'),
    frame(0x12, 'key', 'x', STORE),
    frame(0x0d, 'key'),
    frame(0x14, 'key'),
    frame(0x0a),
  ])
  for (const piece of [1, 7, 24, 1000]) {
    const answers = answersIn(new MemcachedTest().connect().say(requests, piece))
    expect(answers.map(({ opcode, status }) => [opcode, status])).toEqual([
      [0x12, 2],
      [0x0d, 0],
      [0x0a, 0],
    ])
  }
})

test('who is not known is answered version and SASL, and nothing else', () => {
  const world = new MemcachedTest()
  const { accessControl } = world.service
  accessControl.set('shop', ['on', '>secret', '~*', '&*', '+@all'])
  accessControl.set('default', ['off'])
  const connection = world.connect()
  expect(ask(connection, frame(0x20))[0]).toMatchObject({ status: 0, body: 'PLAIN' })
  expect(ask(connection, frame(0x0b))[0]).toMatchObject({ status: 0, body: '1.6.18' })
  expect(ask(connection, frame(0x21, 'PLAIN', '\0shop\0wrong'))[0]!.status).toBe(0x20)
  expect(ask(connection, frame(0x21, 'CRAM-MD5', 'x'))[0]!.status).toBe(0x20)
  expect(ask(connection, frame(0x21, 'PLAIN', '\0shop\0secret'))[0]).toMatchObject({ status: 0, body: 'Authenticated' })
  expect(ask(connection, frame(0x01, 'key', 'value', STORE))[0]!.status).toBe(0)
  const stranger = world.connect()
  expect(ask(stranger, frame(0x00, 'key'), frame(0x00, 'key')).map(({ status }) => status)).toEqual([0x20])
  expect(stranger.ended).toBe(true)
})

test('requests that are none end the connection; values that are too large are passed over', () => {
  const world = new MemcachedTest()
  world.service.cache.itemBytesMax = 1000
  const connection = world.connect()
  const answers = ask(connection, frame(0x01, 'key', 'x'.repeat(5000), STORE), frame(0x66, 'k', 'v'), frame(0x0a))
  expect(answers.map(({ status }) => status)).toEqual([3, 0x81, 0])
  const tooMuch = frame(0x00, 'key')
  tooMuch.writeUInt32BE(1, 8)
  expect(ask(connection, tooMuch)[0]!.status).toBe(0x81)
  expect(connection.ended).toBe(true)
  expect(ask(world.connect(), frame(0x00, 'k'.repeat(251)))[0]!.status).toBe(4)
})
