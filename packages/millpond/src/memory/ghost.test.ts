import { expect, test } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { Ghost } from './ghost.ts'

const ghostOf = (capacity: number) => new Ghost(new Int32Array(Ghost.words(capacity)), new Int32Array(1))
const hashes = (count: number, seed: number): number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => (random() * 2 ** 32) | 0)
}

test('remembers most of what left within its span, and nothing older', () => {
  for (const capacity of [16, 1000, 40_000]) {
    const ghost = ghostOf(capacity)
    const left = hashes(capacity * 12, capacity)
    for (const hash of left) ghost.add(hash, 0)
    const recent = left.slice(-capacity / 2)
    expect(recent.filter((hash) => ghost.find(hash, capacity) >= 0).length).toBeGreaterThan(recent.length * 0.8)
    expect(left.slice(0, -capacity * 1.1).filter((hash) => ghost.find(hash, capacity) >= 0).length).toBeLessThan(
      capacity * 0.01 + 2,
    )
    expect(hashes(1000, 99).filter((hash) => ghost.find(hash, capacity) >= 0)).toEqual([])
  }
})

test('knows how long ago something left, what kind it was, and forgets it when told', () => {
  const ghost = ghostOf(1000)
  ghost.add(0x12345678, 1)
  for (const hash of hashes(300, 5)) ghost.add(hash, 0)
  const at = ghost.find(0x12345678, 1000)
  expect([ghost.kind(at), ghost.age(at)]).toEqual([1, 300])
  expect(ghost.find(0x12345678, 300)).toBe(-1)
  ghost.forget(at)
  expect(ghost.find(0x12345678, 1000)).toBe(-1)
})
