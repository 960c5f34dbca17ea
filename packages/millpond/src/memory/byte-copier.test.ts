import { expect, test } from 'vitest'
import { ByteCopier } from './byte-copier.ts'

test('copies stretches of every length between any places, and nothing beside them', () => {
  const copier = new ByteCopier()
  const source = Uint8Array.from({ length: 700 }, (_, at) => (at * 37) & 255)
  for (let length = 0; length <= 260; length++) {
    // The same memory again and again, and parts of larger memory that begin at odd places.
    for (const target of [new Uint8Array(400), new Uint8Array(new ArrayBuffer(407), 3, 400)]) {
      for (let turn = 0; turn < 3; turn++) {
        const from = (length * 7 + turn * 3) % 400
        const to = 20 + ((length + turn) % 11)
        const expected = target.slice()
        expected.set(source.subarray(from, from + length), to)
        copier.copy(source, from, target, to, length)
        expect(target).toEqual(expected)
      }
    }
  }
})

test('memories that take turns are told apart', () => {
  const copier = new ByteCopier()
  const [one, other] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)]
  const targets = [new Uint8Array(64), new Uint8Array(64)]
  for (let turn = 0; turn < 8; turn++) {
    const source = turn % 2 === 0 ? one : other
    copier.copy(source, 0, targets[turn >> 2]!, 0, 40)
    expect(targets[turn >> 2]!.subarray(0, 41)).toEqual(Uint8Array.of(...source.subarray(0, 40), 0))
  }
})
