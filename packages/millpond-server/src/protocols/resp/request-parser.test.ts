import { expect, test } from 'vitest'
import { Arguments } from '../../engine/arguments.ts'
import { HalfRead } from '../half-read.ts'
import { HalfRequest } from './half-request.ts'
import { ProtocolError, RequestParser } from './request-parser.ts'

/** Reads all commands in a text that comes in pieces of so many bytes, as a connection does. */
function read(text: string, piece: number, headroom = 64): string[][] {
  const args = new Arguments()
  const parser = new RequestParser()
  const input = new HalfRead(new HalfRequest(parser, args))
  const commands: string[][] = []
  const shared = Buffer.alloc(headroom + piece)
  const run = (bytes: Buffer, end: number): void => {
    while (parser.next(args, bytes, end)) commands.push(args.texts(0))
  }
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += piece) {
    const length = Math.min(piece, bytes.length - at)
    bytes.copy(shared, headroom, at, at + length)
    input.join(shared, headroom, headroom + length, run)
  }
  return commands
}

const REQUESTS =
  '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nline\r\nbreak\0\r\n' +
  'PING\r\n' +
  '\r\n' +
  '*0\r\n*-1\r\n' +
  'SET  "a b" \'c"d\' "\\x41\\n"\n' +
  `*2\r\n$3\r\nGET\r\n$300\r\n${'k'.repeat(300)}\r\n`
const COMMANDS = [
  ['SET', 'key', 'line\r\nbreak\0'],
  ['PING'],
  [],
  [],
  [],
  ['SET', 'a b', 'c"d', 'A\n'],
  ['GET', 'k'.repeat(300)],
]

test('commands are the same however their bytes come: at once, byte by byte, in any pieces, with any room before them', () => {
  for (const piece of [REQUESTS.length, 1, 2, 3, 7, 64, 100]) {
    for (const headroom of [0, 5, 64, 4096]) {
      expect(read(REQUESTS, piece, headroom), `${piece} bytes, ${headroom} before`).toEqual(COMMANDS)
    }
  }
})

test.each([
  ['*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n', "expected '$', got 'f'"],
  ['*3000000000\r\n', 'invalid multibulk length'],
  ['*a\r\n', 'invalid multibulk length'],
  ['*01\r\n', 'invalid multibulk length'],
  ['*1\r\n$-10\r\n', 'invalid bulk length'],
  ['*1\r\n$2000000000\r\n', 'invalid bulk length'],
  ['*1\r\n$blabla\r\n', 'invalid bulk length'],
  ['set "a\r\n', 'unbalanced quotes in request'],
  [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
  [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
  ['x'.repeat(70_000), 'too big inline request'],
])('what is not the protocol is said so: %.20s', (text, message) => {
  expect(() => read(text, text.length)).toThrow(new ProtocolError(message))
  expect(() => read(text, 1000)).toThrow(new ProtocolError(message))
})

test('who has not said who it is may send little', () => {
  const parser = new RequestParser()
  parser.isKnown = false
  const next = (text: string): boolean => {
    parser.start(0)
    return parser.next(new Arguments(), Buffer.from(text), text.length)
  }
  expect(() => next('*11\r\n')).toThrow('unauthenticated multibulk length')
  const other = new RequestParser()
  other.isKnown = false
  expect(() => other.next(new Arguments(), Buffer.from('*1\r\n$16385\r\n'), 12)).toThrow('unauthenticated bulk length')
})

test('nothing is read twice: a long command in small pieces takes no longer for its length', () => {
  const length = 2_000_000
  const began = performance.now()
  expect(read(`*1\r\n$${length}\r\n${'v'.repeat(length)}\r\n`, 1000)[0]![0]).toHaveLength(length)
  // Quadratic work would be 2,000 times 1 MB on average: minutes.
  expect(performance.now() - began).toBeLessThan(20_000)
})
