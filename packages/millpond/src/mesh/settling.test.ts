import { expect, test } from 'vitest'
import { Settling } from './settling.ts'

test('who waits is told when its message was acknowledged, and not before', async () => {
  const settling = new Settling()
  const told: number[] = []
  for (const seq of [0, 3, 5, 4]) void settling.reach(seq).then(() => told.push(seq))
  await Promise.resolve()
  expect(told).toEqual([0])
  settling.acknowledged(4)
  settling.acknowledged(2)
  await Promise.resolve()
  expect(told.toSorted()).toEqual([0, 3, 4])
  const failed = settling.reach(9)
  settling.acknowledged(5)
  settling.fail(new Error('left'))
  await expect(failed).rejects.toThrow('left')
  expect(told).toContain(5)
  await expect(settling.reach(0)).rejects.toThrow('left')
})
