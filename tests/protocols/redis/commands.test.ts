import { expect, test } from 'vitest'
import { randomCommand } from './commands.ts'
import { Random } from './random.ts'

test('SORT takes no part of what has no order: neither of a set that is not sorted, nor of texts with equal keys', () => {
  const random = new Random(1)
  const commands = Array.from({ length: 40_000 }, () => randomCommand(random))
  const parts = commands.filter((words) => words[0] === 'SORT' && words.includes('BY') && words.includes('LIMIT'))
  const undefinedOnes = parts.filter(
    (words) => !words[words.indexOf('BY') + 1]!.includes('*') || words.includes('ALPHA'),
  )
  expect(parts.length).toBeGreaterThan(20)
  expect(undefinedOnes).toEqual([])
})
