import { expect, test } from 'vitest'
import { TestLoop } from './turns.fixture.ts'
import type { Turns } from './turns.ts'

/** Works for so many milliseconds, and looks before each of them whether the turn is over. */
function work(turns: Turns, milliseconds: number, worked: () => void): void {
  for (let left = milliseconds; left > 0; left--) {
    if (turns.isOver()) {
      turns.wait(() => work(turns, left, worked))
      return
    }
    worked()
  }
}

test('those who have much to do go on one after the other, one a turn', () => {
  let nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const turns = loop.turns()
  let said = ''
  for (const name of ['a', 'b', 'c']) {
    work(turns, 3, () => {
      nowMs++
      said += name
    })
  }
  while (loop.isBusy) {
    said += ' '
    loop.turn()
  }
  expect(said.trim()).toBe('a a b c a b c b c')
})

test('what was answered in a turn goes out before anybody goes on', () => {
  const nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const turns = loop.turns()
  const said: string[] = []
  turns.wait(() => said.push('work'))
  turns.whenOver(() => {
    said.push('answers')
    turns.whenOver(() => said.push('answers of the next turn'))
  })
  expect(said).toEqual([])
  loop.turn()
  expect(said).toEqual(['answers', 'work'])
  loop.turn()
  expect(said.at(-1)).toBe('answers of the next turn')
  expect(loop.isBusy).toBe(false)
})

test('those who have little left share a turn, and who waits again does not go on in it', () => {
  const nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const turns = loop.turns()
  const said: number[] = []
  const again = (): void => {
    said.push(-1)
    turns.wait(again)
  }
  turns.wait(again)
  for (let each = 0; each < 10; each++) turns.wait(() => said.push(each))
  loop.turn()
  expect(said).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a turn begins anew for those who are read from after its end', () => {
  let nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const turns = loop.turns()
  expect(turns.isOver()).toBe(false)
  nowMs += 5
  expect(turns.isOver()).toBe(true)
  loop.turn()
  expect(turns.isOver()).toBe(false)
})
