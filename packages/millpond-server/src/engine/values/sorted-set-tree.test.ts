import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { SortedSetTree } from './sorted-set-tree.ts'

type Entry = readonly [member: string, score: number]

const ahead = (one: Entry, other: Entry) => one[1] - other[1] || (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0)

function entriesOf(tree: SortedSetTree, from = 0, to: number = tree.size, reversed = false): Entry[] {
  const found: Entry[] = []
  tree.visit(from, to, reversed, (member, score) => found.push([member, score]))
  return found
}

test('does what a sorted array does, whatever is inserted and deleted', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seededRandom(seed)
    const tree = new SortedSetTree()
    const model: Entry[] = []
    const whole = (below: number) => Math.floor(random() * below)
    const spread = [10, 1000, 1e9][seed % 3]!
    for (let step = 0; step < 3000; step++) {
      // It grows first, then stands, then shrinks.
      const grows = random() < [0.9, 0.5, 0.2][Math.floor(step / 1000)]!
      if (grows) {
        const entry: Entry = [`m${step}`, seed % 4 === 0 ? step : whole(spread)]
        tree.insert(entry[0], entry[1])
        model.splice(
          model.findIndex((other) => ahead(entry, other) < 0) === -1
            ? model.length
            : model.findIndex((other) => ahead(entry, other) < 0),
          0,
          entry,
        )
      } else if (random() < 0.02) {
        const from = whole(model.length + 1)
        const to = Math.min(model.length, from + whole(300))
        tree.deleteRanks(from, to)
        model.splice(from, to - from)
      } else if (model.length > 0) {
        const [[member, score]] = model.splice(whole(model.length), 1) as [Entry]
        tree.delete(member, score)
      }
      if (step % 200 !== 0) continue
      const context = `seed ${seed}, step ${step}`
      expect(tree.size, context).toBe(model.length)
      expect(entriesOf(tree), context).toEqual(model)
      const from = whole(model.length + 1)
      const to = from + whole(model.length - from + 1)
      expect(entriesOf(tree, from, to, true), context).toEqual(model.slice(from, to).reverse())
      const score = whole(spread)
      expect(tree.rankOfScore(score, false), context).toBe(model.filter(([, other]) => other < score).length)
      expect(tree.rankOfScore(score, true), context).toBe(model.filter(([, other]) => other <= score).length)
      if (model[from]) expect(tree.rankOf(...model[from]), context).toBe(from)
    }
  }
})

test('finds all that is in it after branches have lost children, got others and been merged', () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = seededRandom(seed)
    const tree = new SortedSetTree()
    for (let at = 0; at < 20_000; at++) tree.insert(`m${at}`, random() * 1e6)
    for (let round = 0; tree.size > 0; round++) {
      const from = Math.floor(random() * tree.size)
      const to = Math.min(tree.size, from + 100 + Math.floor(random() * 1500))
      const [[, low]] = entriesOf(tree, from, from + 1) as [Entry]
      const [[, high]] = entriesOf(tree, to - 1, to) as [Entry]
      tree.deleteRanks(from, to)
      for (let at = 0; at < 40 && tree.size > 500; at++) tree.insert(`r${round}-${at}`, low + random() * (high - low))
      const entries = entriesOf(tree)
      const lost = entries.filter(([member, score], rank) => tree.rankOf(member, score) !== rank)
      expect(lost, `seed ${seed}, round ${round}`).toEqual([])
      expect(entries.toSorted(ahead), `seed ${seed}, round ${round}`).toEqual(entries)
    }
  }
})

test('finds where a member cuts when all scores are equal', () => {
  const tree = new SortedSetTree()
  const members = Array.from({ length: 500 }, (_, at) => `k${String(at * 2).padStart(4, '0')}`)
  for (const member of members.toSorted((one, other) => (one.slice(-1) < other.slice(-1) ? -1 : 1)))
    tree.insert(member, 0)
  expect(tree.rankOfMember('k0100', false)).toBe(50)
  expect(tree.rankOfMember('k0100', true)).toBe(51)
  expect(tree.rankOfMember('k0101', false)).toBe(51)
  expect(tree.rankOfMember('', true)).toBe(0)
  expect(tree.rankOfMember('z', false)).toBe(500)
})

test('keeps infinite scores at the ends, and members of one score in the order of their bytes', () => {
  const tree = new SortedSetTree()
  tree.insert('last', Infinity)
  tree.insert('\xff', 0)
  tree.insert('b', 0)
  tree.insert('first', -Infinity)
  tree.insert('a\0', 0)
  tree.insert('a', 0)
  expect(entriesOf(tree).map(([member]) => member)).toEqual(['first', 'a', 'a\0', 'b', '\xff', 'last'])
})
