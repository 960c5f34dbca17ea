import { expect, test } from 'vitest'
import { moreSlots } from './arena-home.ts'

test('a home grows to powers of two and half as much again, by a fifth at least', () => {
  const sizes: number[] = [32]
  while (sizes.at(-1)! < 2048) sizes.push(moreSlots(sizes.at(-1)!))
  expect(sizes).toEqual([32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048])
  // After it has shrunk its size is any: a step that is hardly one is left out.
  expect(moreSlots(100)).toBe(128)
  expect(moreSlots(1300)).toBe(2048)
  for (let slots = 32; slots < 100_000; slots += 7) {
    expect(moreSlots(slots)).toBeGreaterThanOrEqual(slots * 1.2)
    expect(moreSlots(slots)).toBeLessThan(slots * 2)
  }
})
