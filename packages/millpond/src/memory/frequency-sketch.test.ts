import { expect, test } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { FrequencySketch, powerOfTwo } from './frequency-sketch.ts'

function sketch(slots: number): FrequencySketch {
  return new FrequencySketch(new Uint32Array(FrequencySketch.words(slots)), new Int32Array(1))
}

const hashes = (count: number, seed: number): number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => (random() * 2 ** 32) | 0)
}

test('never says less than it was told, and hardly ever more', () => {
  const counts = sketch(1000)
  const known = hashes(1000, 1)
  for (const [at, hash] of known.entries()) counts.raise(hash, at % 16)
  for (const [at, hash] of known.entries()) expect(counts.read(hash)).toBeGreaterThanOrEqual(at % 16)
  expect(known.filter((hash, at) => counts.read(hash) > at % 16).length).toBeLessThan(20)
  expect(hashes(1000, 2).filter((hash) => counts.read(hash) > 0).length).toBeLessThan(20)
})

test('old counts halve with each period, whether or not the halving has come by yet', () => {
  const counts = sketch(5000)
  const known = hashes(50, 3)
  for (const hash of known) counts.raise(hash, 12)
  for (const expected of [6, 3, 1, 0]) {
    counts.age()
    for (const hash of known) expect(counts.read(hash)).toBe(expected)
    for (let step = 0; step < counts.blocks / 2; step++) counts.halveSome()
    for (const hash of known) expect(counts.read(hash)).toBe(expected)
  }
})

test('a count that is raised between the halving of two blocks counts in full', () => {
  const counts = sketch(5000)
  counts.age()
  for (const hash of hashes(100, 4)) {
    counts.raise(hash, 7)
    expect(counts.read(hash)).toBe(7)
    counts.halveSome()
    expect(counts.read(hash)).toBe(7)
  }
})

test('sizes are powers of two', () => {
  expect([0, 1, 2, 3, 1000, 1024].map(powerOfTwo)).toEqual([1, 1, 2, 4, 1024, 1024])
  for (const slots of [1, 7, 1000, 1e5, 1e6]) expect(Math.log2(FrequencySketch.words(slots)) % 1).toBe(0)
})
