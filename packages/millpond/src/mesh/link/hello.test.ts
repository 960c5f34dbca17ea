import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { type Hello, NAME_BYTES_MAX, readHello, writeHello } from './hello.ts'

const address = (at: number) => ({ host: `10.0.0.${at}`, port: 1000 + at, streamPort: 2000 + at })
const hello: Hello = {
  life: 3,
  sent: 2 ** 40 + 5,
  streamPort: 4711,
  challenge: new Uint8Array(16).fill(1),
  answer: new Uint8Array(16).fill(2),
  name: 'mühle',
  others: [1, 2].map((at) => ({ id: 2 ** 52 + at, address: address(at) })),
}
const into = Buffer.alloc(2000)
const plain = (one: Hello | undefined) => one && { ...one, challenge: [...one.challenge], answer: [...one.answer] }

test('is read as it was written', () => {
  const length = writeHello(into, hello, 1300)
  expect(plain(readHello(Buffer.from(into.subarray(0, length))))).toEqual(plain(hello))
})

test('names as many others as fit', () => {
  const others = Array.from({ length: 100 }, (_, at) => ({ id: at + 1, address: address(at) }))
  const length = writeHello(into, { ...hello, name: 'n'.repeat(NAME_BYTES_MAX), others }, 500)
  expect(length).toBeLessThanOrEqual(500)
  expect(readHello(into.subarray(0, length))?.others).toEqual(others.slice(0, 12))
})

test('no bytes make it throw', () => {
  const random = seededRandom(5)
  const length = writeHello(into, hello, 1300)
  const whole = Buffer.from(into.subarray(0, length))
  for (let cut = 0; cut < length; cut++) readHello(whole.subarray(0, cut))
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(whole)
    for (let flips = 0; flips < 4; flips++) bytes[Math.floor(random() * length)] = Math.floor(random() * 256)
    readHello(bytes)
  }
  expect(readHello(whole.subarray(0, length - 1))).toBeUndefined()
})
