import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { plainOf } from './replies.ts'
import { ReplyFailure, ReplyReader, type ServiceReply } from './reply-reader.ts'
import { encodeCommand } from './words.ts'

/** Reads packets, and returns what they were; what came unasked is `{ push }`. */
function read(packets: readonly Buffer[], wantsBytes = false): unknown[] {
  const read: unknown[] = []
  const reader = new ReplyReader({
    wantsBytes,
    reply: (reply: ServiceReply) => void read.push(reply),
    push: (parts) => void read.push({ push: parts }),
  })
  for (const packet of packets) reader.take(packet)
  return read
}

const TEXT = [
  '+OK\r\n-WRONGTYPE not a list\r\n:12\r\n:9223372036854775807\r\n,1.5\r\n,inf\r\n,-inf\r\n#t\r\n#f\r\n_\r\n(123\r\n',
  '$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n$8\r\nü\r\nü\r\n\r\n!9\r\nERR wrong\r\n=7\r\ntxt:abc\r\n',
  '*0\r\n*2\r\n:1\r\n*2\r\n$1\r\na\r\n-ERR inner\r\n~2\r\n:1\r\n:2\r\n%2\r\n+a\r\n:1\r\n+b\r\n%1\r\n+c\r\n*1\r\n_\r\n',
  '|1\r\n+ttl\r\n:5\r\n:7\r\n>3\r\n+message\r\n$1\r\nc\r\n$2\r\nhi\r\n*1\r\n%0\r\n',
].join('')

const VALUES = [
  'OK',
  new ReplyFailure('WRONGTYPE not a list'),
  12,
  9223372036854775807n,
  1.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  true,
  false,
  null,
  123n,
  'hello',
  '',
  null,
  null,
  'ü\r\nü\r\n',
  new ReplyFailure('ERR wrong'),
  'abc',
  [],
  [1, ['a', new ReplyFailure('ERR inner')]],
  [1, 2],
  new Map<string, unknown>([
    ['a', 1],
    ['b', new Map([['c', [null]]])],
  ]),
  7,
  { push: ['message', 'c', 'hi'] },
  [new Map()],
]

test('every type of RESP3 is read, in one packet', () => {
  expect(read([Buffer.from(TEXT)])).toEqual(VALUES)
})

test('it does not matter where packets end', () => {
  const bytes = Buffer.from(TEXT)
  expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(VALUES)
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  for (let round = 0; round < 200; round++) {
    const packets: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const ends = at + 1 + Math.floor(random() * 40)
      packets.push(bytes.subarray(at, ends))
      at = ends
    }
    expect(read(packets), `seed ${seed}, round ${round}`).toEqual(VALUES)
  }
})

test('strings stay bytes where that is wanted', () => {
  const bytes = Buffer.from([0, 255, 13, 10])
  expect(read([Buffer.from('*2\r\n$4\r\n'), bytes, Buffer.from('\r\n+OK\r\n')], true)).toEqual([[bytes, 'OK']])
})

test('a long list that comes in many packets is read once', () => {
  const count = 50_000
  const bytes = Buffer.from(`*${count}\r\n${'$4\r\nabcd\r\n'.repeat(count)}`)
  const packets = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, at) => bytes.subarray(at * 1000, at * 1000 + 1000)) // biome-ignore format: one line
  expect((read(packets)[0] as string[]).length).toBe(count)
})

test('what is no RESP is refused', () => {
  for (const text of ['HTTP/1.1 400 Bad Request\r\n', '$a\r\n', '*1.5\r\n', 'x'.repeat(70_000)]) {
    expect(() => read([Buffer.from(text)]), text.slice(0, 20)).toThrow(/^it answered/)
  }
})

test('answers as plain values', () => {
  const reply = new Map<ServiceReply, ServiceReply>([['a', [1n, Buffer.from('b'), new ReplyFailure('ERR c')]]])
  expect(plainOf(reply)).toEqual({ a: ['1', 'b', { error: 'ERR c' }] })
})

test('commands are words with their lengths in bytes; bytes stay pieces of their own', () => {
  const out: (string | Uint8Array)[] = []
  encodeCommand(['SET', 'ü', 12], out)
  encodeCommand(['GET', new Uint8Array([255]), 'x'], out)
  encodeCommand(['PING'], out)
  expect(out).toEqual([
    '*3\r\n$3\r\nSET\r\n$2\r\nü\r\n$2\r\n12\r\n*3\r\n$3\r\nGET\r\n$1\r\n',
    new Uint8Array([255]),
    '\r\n$1\r\nx\r\n*1\r\n$4\r\nPING\r\n',
  ])
})
