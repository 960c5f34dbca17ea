import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ByteWriter } from './byte-writer.ts'
import { Departures } from './departures.ts'
import type { Output } from './output.ts'

/** An end that keeps what departs; it may leave bytes in the writer's memory, as a socket does whose peer does not read. */
class End {
  readonly #leaves: boolean
  readonly #bytes: Buffer[] = []

  constructor(leaves = false) {
    this.#leaves = leaves
  }

  depart(bytes: Buffer): boolean {
    this.#bytes.push(this.#leaves ? bytes : Buffer.from(bytes))
    return !this.#leaves
  }

  get text(): string {
    return Buffer.concat(this.#bytes).toString('latin1')
  }
}

function answer(departures: Departures, end: End, text: string): void {
  departures.writer.raw(Buffer.from(text, 'latin1'))
  departures.add(end as unknown as Output)
}

test('answers of several connections go out at the end of the turn, each its own', async () => {
  const departures = new Departures(new ByteWriter(1024))
  const [one, other] = [new End(), new End()]
  answer(departures, one, 'a1 ')
  answer(departures, other, 'b1 ')
  answer(departures, one, 'a2')
  expect(one.text + other.text).toBe('')
  await new Promise(setImmediate)
  expect([one.text, other.text]).toEqual(['a1 a2', 'b1 '])
})

test('when half of the memory is full they go out at once', () => {
  const departures = new Departures(new ByteWriter(64))
  const end = new End()
  answer(departures, end, 'x'.repeat(20))
  expect(end.text).toBe('')
  answer(departures, end, 'y'.repeat(20))
  expect(end.text).toBe('x'.repeat(20) + 'y'.repeat(20))
})

test('memory that a peer has not taken is not written over', () => {
  const departures = new Departures(new ByteWriter(64))
  const slow = new End(true)
  for (const letter of 'abcdefgh') {
    answer(departures, slow, letter.repeat(7))
    departures.flush()
  }
  expect(slow.text).toBe([...'abcdefgh'].map((letter) => letter.repeat(7)).join(''))
})

test('what is being written when others go out stays', () => {
  const departures = new Departures(new ByteWriter(256))
  const [one, other] = [new End(), new End()]
  answer(departures, one, 'first')
  departures.writer.raw(Buffer.from('half of '))
  departures.flush()
  answer(departures, other, 'the second')
  departures.flush()
  answer(departures, one, ', third')
  departures.flush()
  expect([one.text, other.text]).toEqual(['first, third', 'half of the second'])
})

test('a writer forgets only what was not taken', () => {
  const writer = new ByteWriter(64)
  const out = new PassThrough()
  writer.raw(Buffer.from('kept'))
  const kept = writer.last
  writer.next()
  writer.raw(Buffer.from('forgotten'))
  writer.forget()
  writer.raw(Buffer.from('x'.repeat(100)))
  for (const piece of [kept, ...writer.take()]) out.write(piece)
  expect(String(out.read())).toBe(`kept${'x'.repeat(100)}`)
})
