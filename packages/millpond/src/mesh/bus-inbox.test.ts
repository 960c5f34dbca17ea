import { expect, test } from 'vitest'
import type { BusMessage } from '../core/bus.ts'
import { seededRandom } from '../core/random.ts'
import { BusInbox } from './bus-inbox.ts'

function inbox() {
  const heard: string[] = []
  const box = new BusInbox({ message: ({ cache }) => heard.push(cache), gap: () => heard.push('gap') })
  return {
    box,
    heard,
    come: (number: number, afterGap = false) => box.message({ number, message: messageOf(number), afterGap }),
  }
}

function messageOf(number: number): BusMessage {
  return { cache: `${number}`, kind: 'clear' }
}

test('messages of a newcomer are told in order, and there is no gap', () => {
  const random = seededRandom(1)
  for (let turn = 0; turn < 100; turn++) {
    const { box, heard, come } = inbox()
    const numbers = Array.from({ length: 20 }, (_, at) => at + 1).sort(() => random() - 0.5)
    const placedAt = Math.floor(random() * 20)
    for (const [at, number] of numbers.entries()) {
      if (at === placedAt) box.placed(0)
      come(number)
    }
    expect(heard).toEqual(Array.from({ length: 20 }, (_, at) => `${at + 1}`))
  }
})

test('what was sent before we met is a gap; what has come of it already is told behind it', () => {
  const { box, heard, come } = inbox()
  come(7)
  come(9)
  box.placed(8)
  come(10)
  expect(heard).toEqual(['gap', '7', '9', '10'])
})

test('what is lost is a gap before the next; then the peer says again where it stands', () => {
  const { box, heard, come } = inbox()
  box.placed(0)
  come(1)
  come(3)
  box.lost()
  come(5)
  box.placed(5)
  come(6)
  expect(heard).toEqual(['1', 'gap', '3', 'gap', '5', '6'])
})

test('a peer that does not say where it stands is placed by its next message; an older one is a gap', () => {
  const { box, heard, come } = inbox()
  box.unplaced()
  come(5)
  box.placed(4)
  come(2)
  expect(heard).toEqual(['gap', 'gap', '5', 'gap'])
})

test('a message after one that the peer could not send says so; too many that wait for one do not wait for ever', () => {
  const { box, heard, come } = inbox()
  box.placed(0)
  come(1, true)
  expect(heard).toEqual(['gap', '1'])
  for (let number = 3; number <= 10_003; number++) come(number)
  expect(heard.slice(2, 4)).toEqual(['gap', '3'])
  expect(heard.at(-1)).toBe('10003')
})
