import { expect, test } from 'vitest'
import { ReplyWriter } from './reply-writer.ts'

function written(protocol: 2 | 3, write: (writer: ReplyWriter) => void, pieceBytes = 64): string {
  const writer = new ReplyWriter(pieceBytes)
  writer.protocol = protocol
  write(writer)
  const { length } = writer
  const text = Buffer.concat(writer.take()).toString('latin1')
  expect(text).toHaveLength(length)
  expect(writer.length).toBe(0)
  return text
}

test('every type in RESP2 and RESP3', () => {
  const both = (write: (writer: ReplyWriter) => void): string[] => [written(2, write), written(3, write)]
  expect(both((to) => to.ok())).toEqual(['+OK\r\n', '+OK\r\n'])
  expect(both((to) => to.error('ERR a\r\nb'))).toEqual(['-ERR a  b\r\n', '-ERR a  b\r\n'])
  expect(both((to) => to.bulk('a\xffb'))).toEqual(['$3\r\na\xffb\r\n', '$3\r\na\xffb\r\n'])
  expect(both((to) => to.nil())).toEqual(['$-1\r\n', '_\r\n'])
  expect(both((to) => to.nilArray())).toEqual(['*-1\r\n', '_\r\n'])
  expect(both((to) => to.array(12))).toEqual(['*12\r\n', '*12\r\n'])
  expect(both((to) => to.map(5))).toEqual(['*10\r\n', '%5\r\n'])
  expect(both((to) => to.set(2))).toEqual(['*2\r\n', '~2\r\n'])
  expect(both((to) => to.push(3))).toEqual(['*3\r\n', '>3\r\n'])
  expect(both((to) => to.double(1.5))).toEqual(['$3\r\n1.5\r\n', ',1.5\r\n'])
  expect(both((to) => to.double(Number.NEGATIVE_INFINITY))).toEqual(['$4\r\n-inf\r\n', ',-inf\r\n'])
  expect(both((to) => to.boolean(true))).toEqual([':1\r\n', '#t\r\n'])
  expect(both((to) => to.bigNumber('123'))).toEqual(['$3\r\n123\r\n', '(123\r\n'])
  expect(both((to) => to.verbatim('txt', 'hi'))).toEqual(['$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'])
})

test.each([0, 9, 10, 99, 100, 12345, 2 ** 31 - 1, 2 ** 31, -1, Number.MAX_SAFE_INTEGER, 2n ** 63n - 1n, -(2n ** 63n)])(
  'the integer %s',
  (value) => expect(written(2, (to) => to.integer(value))).toBe(`:${value}\r\n`),
)

test('strings of every length around the borders of pieces come out whole', () => {
  for (const pieceBytes of [64, 100, 256]) {
    for (let length = 0; length < 300; length += 7) {
      const text = 'v'.repeat(length)
      const twice = written(
        2,
        (to) => {
          to.bulk(text)
          to.bytes(Buffer.from(text), 0, length)
          to.integer(length)
        },
        pieceBytes,
      )
      const one = `$${length}\r\n${text}\r\n`
      expect(twice).toBe(`${one}${one}:${length}\r\n`)
    }
  }
})

test('a long value is a piece of its own, and memory is used again only when it is said to be free', () => {
  const writer = new ReplyWriter(1024)
  writer.bytes(Buffer.alloc(100_000, 'x'), 0, 100_000)
  expect(writer.pieces.map(({ length }) => length)).toEqual(['$100000\r\n'.length, 100_000])
  writer.reuse()
  writer.ok()
  const first = writer.last
  writer.renew()
  writer.error('ERR')
  expect(first.toString()).toBe('+OK\r\n')
})
