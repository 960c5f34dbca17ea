import { expect, test } from 'vitest'
import { SharedQuestion } from './shared-question.ts'

test('who asks while one is under way shares the next; who asks together shares one', async () => {
  const answers: ((value: number) => void)[] = []
  const question = new SharedQuestion<number>(() => new Promise((resolve) => answers.push(resolve)))
  const first = [question.ask(), question.ask()]
  await tick()
  expect(answers).toHaveLength(1)
  const second = [question.ask(), question.ask(), question.ask()]
  await tick()
  expect(answers).toHaveLength(1)
  answers[0]!(1)
  expect(await Promise.all(first)).toEqual([1, 1])
  await tick()
  expect(answers).toHaveLength(2)
  answers[1]!(2)
  expect(await Promise.all(second)).toEqual([2, 2, 2])
})

test('a failure is told to those who shared it, and the next is asked all the same', async () => {
  let count = 0
  const question = new SharedQuestion(async () => {
    count++
    if (count === 1) throw new Error('gone')
    return count
  })
  const failed = [question.ask(), question.ask()]
  await expect(Promise.all(failed)).rejects.toThrow('gone')
  expect(await question.ask()).toBe(2)
})

async function tick(): Promise<void> {
  for (let count = 0; count < 5; count++) await Promise.resolve()
}
