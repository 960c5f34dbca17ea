import { expect, it } from 'vitest'
import { alternate, type Contender, closeAll, order } from './alternate.ts'

const recorder = (
  log: string[],
  name: string,
  measured: (turn: number) => ReturnType<Contender['turn']>,
): Contender => {
  let turns = 0
  return {
    name,
    turn: () => {
      log.push(name)
      return measured(turns++)
    },
  }
}

it('lets every contender have one turn in each round', async () => {
  const log: string[] = []
  const contenders = ['a', 'b', 'c'].map((name) => recorder(log, name, () => 1))
  await alternate(contenders, { rounds: 4, warmup: 0 })
  for (let round = 0; round < 4; round++) {
    expect(log.slice(round * 3, round * 3 + 3).toSorted()).toEqual(['a', 'b', 'c'])
  }
})

it('gives everyone every place and every predecessor', () => {
  const rounds = Array.from({ length: 6 }, (_, round) => order(['a', 'b', 'c'], round))
  for (let place = 0; place < 3; place++) {
    expect(new Set(rounds.map((round) => round[place]))).toEqual(new Set(['a', 'b', 'c']))
  }
  const pairs = new Set(rounds.flatMap((round) => [`${round[0]}${round[1]}`, `${round[1]}${round[2]}`]))
  expect(pairs).toEqual(new Set(['ab', 'ba', 'bc', 'cb', 'ac', 'ca']))
})

it('does not count the rounds of warm-up', async () => {
  const figures = await alternate([recorder([], 'a', (turn) => turn)], { rounds: 3, warmup: 2 })
  expect(figures.of('a')).toEqual([2, 3, 4])
})

it('keeps the measures of a turn apart, and pairs rounds', async () => {
  const fast = recorder([], 'fast', (turn) => ({ hit: 10 * 2 ** turn, miss: 1 }))
  const slow = recorder([], 'slow', (turn) => ({ hit: 30 * 2 ** turn, miss: 7 }))
  const figures = await alternate([fast, slow], { rounds: 5, warmup: 0 })
  expect(figures.ratio('slow', 'fast', 'hit')).toEqual({ median: 3, low: 3, high: 3 })
  expect(figures.spread('slow', 'miss').median).toBe(7)
})

it('refuses a figure that is none, a name that took no part and a name that is there twice', async () => {
  const figure = recorder([], 'a', () => 1)
  await expect(alternate([recorder([], 'a', () => Number.NaN)], { rounds: 1 })).rejects.toThrow(/not a figure/)
  await expect(alternate([figure, figure], { rounds: 1 })).rejects.toThrow(/same name/)
  const figures = await alternate([figure], { rounds: 1 })
  expect(() => figures.of('b')).toThrow(/no figures/)
})

it('closes all, even when one cannot', async () => {
  const closed: string[] = []
  const closing = (name: string, close: () => void): Contender => ({ name, turn: () => 1, close })
  await closeAll([
    closing('a', () => {
      throw new Error('stuck')
    }),
    closing('b', () => void closed.push('b')),
  ])
  expect(closed).toEqual(['b'])
})
