import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { newPeerId } from '../wire/peer-id.ts'
import { hostile } from './hostile.fixture.ts'
import { Keyring, type MeshKey } from './keyring.ts'
import { PacketSealer } from './packet-sealer.ts'
import { ReplayWindow } from './replay-window.ts'

const KEY = new Uint8Array(32).fill(7)
const OTHER_KEY = new Uint8Array(32).fill(9)
const clock = manualClock()
const sealer = (keys: readonly MeshKey[] = [KEY], mesh = 'shop', self = newPeerId()) =>
  new PacketSealer(self, mesh, new Keyring(keys), clock)
const body = Buffer.from('set user:17')

describe.each([
  ['sealed', [KEY]],
  ['with a checksum only', [] as Uint8Array[]],
])('a packet %s', (_, keys) => {
  test('comes out as it went in, once', () => {
    const here = sealer(keys)
    const there = sealer(keys)
    const datagram = here.seal(3, 0x40, 4_000_000_001, 8000, body)
    expect(datagram).toHaveLength(body.length + here.overheadBytes)
    const copy = Uint8Array.from(datagram)
    expect(there.open(copy)).toMatchObject({
      type: 3,
      sequence: 4_000_000_001,
      depth: 8000,
      from: here.self,
      direct: false,
      proven: false,
    })
    const again = here.seal(1, 0, 1, 0, body)
    expect(Buffer.from(there.open(again)!.body)).toEqual(body)
    expect(there.open(copy)).toBeUndefined()
    expect(there.open(again)).toBeUndefined()
    expect(there.counts).toMatchObject({ opened: 2, replayed: 2 })
  })

  test('may be empty, and keeps the flags of the link', () => {
    const [here, there] = [sealer(keys), sealer(keys)]
    const came = there.open(here.seal(1, 0xf0, 0, 0, new Uint8Array(0)))!
    expect(came.flags & 0xf0).toBe(0xf0)
    expect(came.body).toHaveLength(0)
  })

  test('for one peer is opened by no other', () => {
    const [here, there, third] = [sealer(keys), sealer(keys), sealer(keys)]
    const datagram = here.seal(1, 0, 0, 0, body, there.self)
    expect(third.open(datagram)).toBeUndefined()
    expect(third.counts.forged).toBe(1)
    expect(third.senders).toBe(0)
    expect(there.open(datagram)).toMatchObject({ direct: true })
  })

  test('is refused with any of its bits flipped, or cut short or longer', () => {
    const [here, there] = [sealer(keys), sealer(keys)]
    const datagram = here.seal(1, 0, 9, 9, body)
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const damaged = Uint8Array.from(datagram)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(there.open(damaged), `bit ${bit}`).toBeUndefined()
    }
    for (let length = 0; length < datagram.length; length++)
      expect(there.open(datagram.subarray(0, length))).toBeUndefined()
    expect(there.open(Buffer.concat([datagram, Buffer.alloc(1)]))).toBeUndefined()
    expect(there.senders).toBe(0)
    expect(there.open(datagram)).toBeDefined()
  })

  test('of our own, or of another mesh, is not tried', () => {
    const here = sealer(keys)
    expect(here.open(here.seal(1, 0, 0, 0, body))).toBeUndefined()
    expect(here.open(sealer(keys, 'bank').seal(1, 0, 0, 0, body))).toBeUndefined()
    expect(here.counts).toMatchObject({ own: 1, otherMesh: 1, forged: 0 })
  })
})

test('a mesh with a key and one without do not hear each other', () => {
  const [sealed, plain] = [sealer(), sealer([])]
  expect(sealed.open(plain.seal(1, 0, 0, 0, Buffer.alloc(100)))).toBeUndefined()
  expect(plain.open(sealed.seal(1, 0, 0, 0, Buffer.alloc(100)))).toBeUndefined()
  expect([sealed.counts.wrongMode, plain.counts.wrongMode]).toEqual([1, 1])
})

describe('keys', () => {
  test('another key opens nothing; with both rings turning, nothing is lost', () => {
    const [old, both, next] = [sealer([KEY]), sealer([KEY, OTHER_KEY]), sealer([OTHER_KEY])]
    expect(next.open(old.seal(1, 0, 0, 0, body))).toBeUndefined()
    expect(next.counts.unknownKey).toBe(1)
    expect(both.open(old.seal(1, 0, 0, 0, body))).toBeDefined()
    expect(both.open(next.seal(1, 0, 0, 0, body))).toBeDefined()
    expect(old.open(both.seal(1, 0, 0, 0, body))).toBeDefined()
    both.rotate(new Keyring([OTHER_KEY, KEY]))
    expect(next.open(both.seal(1, 0, 0, 0, body))).toBeDefined()
    expect(old.open(both.seal(1, 0, 0, 0, body))).toBeUndefined()
  })

  test('are 32 bytes, as bytes, base64 or hexadecimal', () => {
    const texts = [Buffer.from(KEY).toString('base64'), Buffer.from(KEY).toString('hex')]
    for (const text of texts) expect(sealer([text]).open(sealer([KEY]).seal(1, 0, 0, 0, body))).toBeDefined()
    expect(() => new Keyring(['my secret'])).toThrow('openssl rand')
    expect(() => new Keyring([new Uint8Array(16)])).toThrow('openssl rand')
    expect(() => new Keyring([17 as never])).toThrow('openssl rand')
    expect(() => new Keyring([KEY, KEY])).toThrow('another one')
  })

  test('no nonce is used twice by a process, and no two processes share a key', () => {
    const here = sealer()
    const numbers = Array.from({ length: 1000 }, () => here.seal(1, 0, 0, 0, body).readUIntLE(12, 6))
    expect(new Set(numbers).size).toBe(1000)
    const text = (of: PacketSealer) => of.seal(1, 0, 0, 0, body).subarray(32, -16).toString('hex')
    expect(text(sealer())).not.toBe(text(sealer()))
    expect(text(sealer([KEY], 'shop', 5))).not.toBe(text(sealer([KEY], 'shop', 5)))
  })
})

describe('recordings', () => {
  test('of a dead process never prove themselves', () => {
    const [dead, here] = [sealer(), sealer()]
    const hello = dead.seal(5, 0, 0, 0, body)
    const asked = here.challenge(dead.self)
    const answer = dead.seal(5, 0, 0, 0, asked, here.self)
    expect(here.open(hello)?.proven).toBe(false)
    expect(here.prove(dead.self, here.open(answer)!.body)).toBe(true)
    expect(here.open(dead.seal(1, 0, 0, 0, body))?.proven).toBe(true)

    const restarted = sealer()
    expect(restarted.open(hello)?.proven).toBe(false)
    expect(restarted.open(answer)).toBeUndefined()
    const toAll = dead.seal(5, 0, 0, 0, asked)
    expect(restarted.prove(dead.self, restarted.open(toAll)!.body)).toBe(false)
    expect(restarted.open(dead.seal(1, 0, 0, 0, body))?.proven).toBe(false)
  })

  test('an answer holds for 10 to 20 seconds, for its peer', async () => {
    const [peer, here] = [sealer(), sealer()]
    const asked = here.challenge(peer.self)
    here.open(peer.seal(5, 0, 0, 0, body))
    expect(here.prove(newPeerId(), asked)).toBe(false)
    expect(here.prove(peer.self, asked.subarray(1))).toBe(false)
    await clock.advance(10_000)
    expect(here.prove(peer.self, asked)).toBe(true)
    await clock.advance(10_000)
    expect(here.prove(peer.self, asked)).toBe(false)
  })

  test('who was forgotten has to prove itself again', () => {
    const [peer, here] = [sealer(), sealer()]
    here.open(peer.seal(5, 0, 0, 0, body))
    here.prove(peer.self, here.challenge(peer.self))
    const recorded = peer.seal(1, 0, 0, 0, body)
    expect(here.open(recorded)?.proven).toBe(true)
    here.forget(peer.self)
    expect(here.open(recorded)?.proven).toBe(false)
  })
})

describe('floods', () => {
  test('of strangers are looked at 1,000 times a second; who is known is still heard', async () => {
    const [here, friend] = [sealer(), sealer()]
    here.open(friend.seal(1, 0, 0, 0, body))
    here.prove(friend.self, here.challenge(friend.self))
    const random = seededRandom(3)
    const forged = friend.seal(1, 0, 0, 0, body)
    const flood = (count: number) => {
      for (let at = 0; at < count; at++) {
        forged.writeUInt32LE(random() * 2 ** 32, 20)
        expect(here.open(forged)).toBeUndefined()
      }
    }
    flood(3000)
    expect(here.counts).toMatchObject({ forged: 999, limited: 2001 })
    expect(here.open(friend.seal(1, 0, 0, 0, body))?.proven).toBe(true)
    await clock.advance(500)
    flood(3000)
    expect(here.counts).toMatchObject({ forged: 1499, limited: 4501 })
    expect(here.senders).toBe(1)
  })

  test('of recordings of many dead processes push out no living peer, and are bounded', async () => {
    const [here, friend] = [sealer(), sealer()]
    here.open(friend.seal(1, 0, 0, 0, body))
    here.prove(friend.self, here.challenge(friend.self))
    for (let at = 0; at < 500; at++) here.open(sealer().seal(1, 0, 0, 0, body))
    expect(here.senders).toBe(65)
    expect(here.open(friend.seal(1, 0, 0, 0, body))?.proven).toBe(true)
  })

  test('of 20,000 random, damaged and replayed datagrams have no effect', async () => {
    const seed = 20_261_121
    const random = seededRandom(seed)
    const [here, friend] = [sealer(), sealer()]
    const recorded = Array.from({ length: 50 }, (_, at) => friend.seal(at % 9, 0, at, 0, Buffer.alloc(at * 7)))
    for (const datagram of recorded) here.open(datagram)
    expect(here.counts.opened).toBe(50)
    for (let at = 0; at < 20_000; at++) {
      const bytes = hostile(random, recorded)
      expect(here.open(bytes), `seed ${seed}, datagram ${at}`).toBeUndefined()
      if (at % 1000 === 0) await clock.advance(1000)
    }
    expect(here.counts.opened).toBe(50)
    expect(here.senders).toBe(1)
    expect(here.open(friend.seal(1, 0, 0, 0, body))).toBeDefined()
  })
})

describe('the replay window', () => {
  test('takes what is below it as seen, though it never came', () => {
    const window = new ReplayWindow()
    window.add(70_000)
    expect([window.has(4000), window.has(70_000 - 65_536), window.has(70_001 - 65_536), window.has(70_001)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    window.add(1)
    expect(window.has(65_537)).toBe(false)
  })

  test('remembers 65,536 numbers, and takes older ones as seen', () => {
    const window = new ReplayWindow()
    const random = seededRandom(11)
    const seen = new Set<number>()
    let highest = 0
    for (let at = 0; at < 200_000; at++) {
      const jump = random() < 0.001 ? 100_000 : 40
      const number = Math.max(1, Math.floor(highest + jump * (random() - 0.4)))
      const expected = number <= highest && (number <= highest - 65_536 || seen.has(number))
      if (window.has(number) !== expected) throw new Error(`number ${number} at ${highest}`)
      window.add(number)
      seen.add(number)
      highest = Math.max(highest, number)
    }
    expect(highest).toBeGreaterThan(1_000_000)
  })
})
