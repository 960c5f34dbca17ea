import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArenaClasses } from './arena-classes.ts'
import { hashBytes } from './arena-hash.ts'
import { indexFind, indexInsert, indexRemove } from './arena-index.ts'
import { ArenaPlan } from './arena-item.ts'
import { ArenaKeyReader } from './arena-key.ts'
import { CHUNK, HEAD_BYTES, planLayout, STRIPE, TABLE, TAIL_BYTES } from './arena-layout.ts'
import { ArenaLocks } from './arena-lock.ts'
import { ArenaMembers } from './arena-members.ts'
import { ArenaMemory } from './arena-memory.ts'
import { ArenaPages } from './arena-pages.ts'

describe('hash', () => {
  const hash = (text: string, seed0 = 1, seed1 = 2) => {
    const bytes = new TextEncoder().encode(text)
    return hashBytes(bytes, 0, bytes.length, seed0, seed1)
  }

  test('depends on every byte, on the length and on both words of the seed', () => {
    const bytes = Uint8Array.from({ length: 23 }, (_, at) => at * 11)
    const whole = hashBytes(bytes, 0, 23, 1, 2)
    for (let at = 0; at < 23; at++) {
      const other = bytes.slice()
      other[at]! ^= 1
      expect(hashBytes(other, 0, 23, 1, 2)).not.toBe(whole)
    }
    expect(hash('ab')).not.toBe(hash('ab\0'))
    expect(new Set([hash('ab'), hash('ab', 3), hash('ab', 1, 3)]).size).toBe(3)
  })

  test('reads where the key lies', () => {
    const bytes = new TextEncoder().encode('xxkeyxx')
    expect(hashBytes(bytes, 2, 5, 1, 2)).toBe(hash('key'))
  })

  test('spreads keys that differ little over low, middle and high bits', () => {
    for (const shift of [0, 10, 22]) {
      const counts = new Int32Array(1024)
      for (let number = 0; number < 102_400; number++) counts[(hash(`key:${number}`) >>> shift) & 1023]!++
      const chi = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
      // 1023 degrees of freedom: 1240 would be one chance in 300,000.
      expect(chi).toBeLessThan(1240)
    }
  })
})

describe('key', () => {
  test('has the hash of its bytes and its space, whichever key came before it in the same memory', () => {
    const bytes = new Uint8Array(200)
    const reader = new ArenaKeyReader(3, 5)
    const places = fc.tuple(fc.nat(7), fc.nat(1), fc.constantFrom(0, 1, 7, 7, 7, 8, 8, 130), fc.nat(1))
    const check = (changes: [number, number, number, number][]): void => {
      for (const [place, value, length, space] of changes) {
        bytes[192 + place] = value
        const start = 200 - length
        reader.aim(bytes, start, 200, space)
        const fresh = new ArenaKeyReader(3, 5)
        fresh.aim(bytes.slice(start), undefined, undefined, space)
        expect([reader.hash, reader.word, ...reader.words.subarray(0, length >> 2)]).toEqual([
          fresh.hash,
          fresh.word,
          ...fresh.words.subarray(0, length >> 2),
        ])
        reader.aim(bytes, start, 200, space)
        expect(reader.hash).toBe(fresh.hash)
      }
    }
    fc.assert(fc.property(fc.array(places, { maxLength: 60 }), check), { numRuns: 100 })
  })
})

describe('classes and plans', () => {
  test.each([4096, 16_384, 65_536])('pages of %i bytes: sizes rise by little, and leave no rest', (pageBytes) => {
    const { sizes, perPage, quarter } = new ArenaClasses(pageBytes)
    expect([sizes[0], sizes[quarter], sizes.at(-1)]).toEqual([32, pageBytes / 4, pageBytes])
    expect(sizes.length).toBeLessThanOrEqual(64)
    for (let at = 1; at <= quarter; at++) {
      expect(sizes[at]! - sizes[at - 1]!).toBeLessThanOrEqual(Math.max(16, sizes[at]! / 3.9))
      expect(sizes[at]! % 16).toBe(0)
      expect(pageBytes - sizes[at]! * perPage[at]!).toBeLessThan(16 * perPage[at]!)
    }
  })

  test('a plan holds its payload, and wastes at most a quarter of a short one and a tenth of a long one', () => {
    const memory = ArenaMemory.create(planLayout(64 * 2 ** 20))
    const plan = new ArenaPlan(memory)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000_000 }), (payload) => {
        plan.make(payload)
        const chunks = plan.pages + plan.quarters + (plan.last < 0 ? 0 : 1)
        const room = plan.units * 16 - HEAD_BYTES - (chunks - 1) * TAIL_BYTES
        expect(room).toBeGreaterThanOrEqual(payload)
        expect(plan.units * 16).toBeLessThan((payload + HEAD_BYTES + 16) * (payload > 20_000 ? 1.1 : 1.34))
      }),
    )
  })
})

describe('index', () => {
  test('finds what is in it and nothing else, whatever was removed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 300 }), (refs) => {
        const words = new Int32Array(256 + 16)
        const held = new Set<number>()
        // Hashes that crowd into few places.
        const hash = (ref: number) => (ref % 5) << 4
        for (const ref of refs) {
          if (held.delete(ref)) indexRemove(words, 16, 127, 4, hash(ref), ref)
          else {
            held.add(ref)
            indexInsert(words, 16, 127, 4, hash(ref), ref)
          }
        }
        for (let ref = 1; ref <= 90; ref++)
          expect(indexFind(words, 16, 127, 4, hash(ref), ref) !== 0).toBe(held.has(ref))
      }),
    )
  })
})

describe('pages', () => {
  test('what was taken and given back leaves the arena as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 28 }), { maxLength: 400 }), (steps) => {
        const memory = ArenaMemory.create(planLayout(2 ** 18))
        const pages = new ArenaPages(memory)
        pages.reset()
        const empty = pages.used
        const stripeWord = memory.stripeWord(0)
        const chainWord = stripeWord + STRIPE.PENDING
        const held: number[] = []
        for (const step of steps) {
          if (step >= 0) {
            memory.words[chainWord] = 0
            const ref = pages.allocate(step % memory.classes.sizes.length, 1, stripeWord, chainWord)
            if (ref !== 0) held.push(ref)
          } else if (held.length > 0) {
            memory.words[chainWord] = held.splice(step % held.length, 1)[0]!
            memory.words[memory.words[chainWord]! * 4 + CHUNK.NEXT] = 0
            pages.freeFirst(stripeWord, chainWord)
          }
          const spans = held.map((ref) => [ref, ref + memory.chunkBytes(ref) / 16] as const).sort((a, b) => a[0] - b[0])
          spans.forEach(([start], at) => {
            if (at > 0 && start < spans[at - 1]![1]) throw new Error('two chunks overlap')
          })
        }
        const units = held.reduce((sum, ref) => sum + memory.chunkBytes(ref) / 16, 0)
        expect(memory.words[TABLE.LIVE_UNITS]).toBe(units)
        for (const ref of held) {
          memory.words[chainWord] = ref
          memory.words[ref * 4 + CHUNK.NEXT] = 0
          pages.freeFirst(stripeWord, chainWord)
        }
        expect(pages.used).toBe(empty)
      }),
      { numRuns: 40, endOnFailure: true },
    )
  })
})

describe('members and locks', () => {
  test('a member is dead when its file is closed, or when somebody who knows says so; its number never comes back', () => {
    const { words } = ArenaMemory.create(planLayout(2 ** 18))
    const first = new ArenaMembers(words)
    const second = new ArenaMembers(words)
    expect([first.join(), second.join()]).toEqual([true, true])
    const { self } = second
    expect(first.isDead(self)).toBe(false)
    second.leave()
    // The seat is free, and whoever takes it is somebody else.
    expect(second.join()).toBe(true)
    expect(second.self).not.toBe(self)
    expect([first.isDead(self), first.isDead(second.self)]).toEqual([true, false])
    first.reportExit(0)
    expect(first.isDead(second.self)).toBe(true)
    first.leave()
    second.leave()
  })

  test('a lock is held by one, and inherited from the dead only', () => {
    const { words } = ArenaMemory.create(planLayout(2 ** 18))
    const members = [new ArenaMembers(words), new ArenaMembers(words)] as const
    for (const member of members) member.join()
    const [one, other] = members.map((member) => new ArenaLocks(words, member)) as [ArenaLocks, ArenaLocks]
    expect(one.take(100)).toBe(false)
    for (let tries = 0; tries < 1000; tries++) expect(other.try(100)).toBe(0)
    members[0].leave()
    expect(other.take(100)).toBe(true)
    other.give(100)
    expect([other.try(100), words[100]]).toEqual([1, members[1].self])
    other.give(100)
    expect(words[100]).toBe(0)
    members[1].leave()
  })
})
