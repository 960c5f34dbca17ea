import { describe, expect, test } from 'vitest'
import { Ring } from './ring.ts'

const names = Array.from({ length: 20_000 }, (_, at) => `shop:user:${at}`)
const servers = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211', '10.0.0.4:11211']

function places(of: readonly string[]): string[] {
  const ring = new Ring(of)
  return names.map((name) => of[ring.placeOf(name)]!)
}

describe('the place of a name', () => {
  test('is shared out evenly', () => {
    const all = places(servers)
    for (const server of servers) {
      const share = all.filter((place) => place === server).length / names.length
      expect(share).toBeGreaterThan(0.23)
      expect(share).toBeLessThan(0.27)
    }
  })

  test('does not depend on the order in which servers are listed', () => {
    expect(places([...servers].reverse())).toEqual(places(servers))
  })

  test('of a server that is added, one in five, and no other name moves', () => {
    const [before, after] = [places(servers), places([...servers, '10.0.0.5:11211'])]
    const moved = names.filter((_, at) => before[at] !== after[at])
    expect(moved.length / names.length).toBeGreaterThan(0.18)
    expect(moved.length / names.length).toBeLessThan(0.22)
    expect(new Set(after.filter((place, at) => place !== before[at]))).toEqual(new Set(['10.0.0.5:11211']))
  })

  test('is the same in every release: fleets of two releases look for it in one place', () => {
    const ring = new Ring(servers)
    const kept = ['', 'a', 'shop:user:17', 'shop#', 'ü€😀', '\ud800', 'x'.repeat(600)]
    expect(kept.map((name) => ring.placeOf(name))).toEqual([2, 1, 1, 3, 1, 2, 3])
  })
})
