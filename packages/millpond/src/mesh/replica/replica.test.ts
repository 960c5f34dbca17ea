import { describe, expect, test } from 'vitest'
import { modeByte, modeOf } from './map-mode.ts'
import { contentOf, differing, Peers, UNBOUNDED } from './peers.fixture.ts'

function pair(seed = 1) {
  const peers = new Peers(seed)
  const [one, other] = [peers.join(), peers.join()]
  return { peers, one, other, a: one.open(), b: other.open() }
}

describe('two peers', () => {
  test('a set reaches the other, whatever the value; a delete too', () => {
    const { peers, a, b } = pair()
    const values = {
      text: 'ü\u{1F600}\ud800',
      number: -0.5,
      nothing: undefined,
      none: null,
      big: 2n ** 80n,
      list: [1, { two: 2 }],
      date: new Date(5),
      map: new Map([['a', new Set([1])]]),
    }
    for (const [key, value] of Object.entries(values)) a.set(key, value, Number.POSITIVE_INFINITY)
    peers.settle()
    expect(contentOf(b)).toEqual(values)
    expect(b.has('nothing')).toBe(true)
    expect(a.delete('text')).toBe(true)
    expect(a.delete('text')).toBe(false)
    peers.settle()
    expect(b.has('text')).toBe(false)
    expect(contentOf(b)).toEqual(contentOf(a))
  })

  test('the later write wins on both, whichever order the messages come in', () => {
    const { peers, one, a, b } = pair()
    one.skewMs = 100
    b.set('k', 'b', Number.POSITIVE_INFINITY)
    a.set('k', 'a', Number.POSITIVE_INFINITY)
    peers.settle()
    expect([a.get('k'), b.get('k')]).toEqual(['a', 'a'])
    expect([a.counters.conflicts, b.counters.conflicts]).toEqual([1, 1])
  })

  test('a write that knows the other is no conflict and wins, even hours behind', () => {
    const { peers, one, other, a, b } = pair()
    one.skewMs = 7_200_000
    a.set('k', 'from the future', Number.POSITIVE_INFINITY)
    peers.settle()
    b.set('k', 'now', Number.POSITIVE_INFINITY)
    peers.settle()
    expect([a.get('k'), b.get('k')]).toEqual(['now', 'now'])
    b.delete('k')
    peers.settle()
    expect([a.has('k'), b.has('k')]).toEqual([false, false])
    expect([a.counters.conflicts, b.counters.conflicts]).toEqual([0, 0])
    expect(other.drifts).toBeGreaterThan(0)
    b.set('other', 1, Number.POSITIVE_INFINITY)
    expect(b.ledger.find('other')!.version).toBeLessThan(a.ledger.find('k')!.version - 4096 * 3_600_000)
  })

  test('many changes of a key under pressure go out once, in a fair order', () => {
    const { peers, one, a, b } = pair()
    one.room = 0
    for (let turn = 0; turn < 1000; turn++)
      for (const key of ['x', 'y', 'z']) a.set(key, turn, Number.POSITIVE_INFINITY)
    peers.flush()
    expect(one.sent).toBe(0)
    expect(a.unsent.size).toBe(3)
    expect(a.unsent.conflated).toBe(2997)
    one.room = 10
    peers.settle()
    expect(one.sent).toBe(1)
    expect(contentOf(b)).toEqual({ x: 999, y: 999, z: 999 })
  })

  test('small changes share datagrams, and no body is longer than one', () => {
    const { peers, one, a, b } = pair()
    for (let at = 0; at < 1000; at++) a.set(`key:${at}`, `value ${at}`, Number.POSITIVE_INFINITY)
    peers.settle()
    expect(contentOf(b)).toEqual(contentOf(a))
    for (const body of one.sentBodies) expect(body.length).toBeLessThanOrEqual(1200)
    expect(one.sent).toBeLessThan(40)
  })

  test('a change that is longer than a datagram travels alone, and holds nobody up', () => {
    const { peers, one, a, b } = pair()
    for (let at = 0; at < 50; at++) a.set(`before:${at}`, 'x'.repeat(50), Number.POSITIVE_INFINITY)
    a.set('long', 'y'.repeat(5000), Number.POSITIVE_INFINITY)
    for (let at = 0; at < 50; at++) a.set(`after:${at}`, 'z'.repeat(50), Number.POSITIVE_INFINITY)
    peers.settle()
    expect(contentOf(b)).toEqual(contentOf(a))
    const long = one.sentBodies.filter(({ length }) => length > 1200)
    expect(long).toHaveLength(1)
    expect(long[0]!.length).toBeLessThan(5100)
  })

  test('maps take turns: one that has much to tell does not hold up the others', () => {
    const { peers, one, other, a } = pair()
    const second = one.open('second')
    for (let at = 0; at < 1000; at++) a.set(`key:${at}`, 'x'.repeat(50), Number.POSITIVE_INFINITY)
    second.set('k', 1, Number.POSITIVE_INFINITY)
    one.room = 2
    peers.settleMessages()
    expect(one.sent).toBe(2)
    expect(other.open('second').get('k')).toBe(1)
    one.room = Number.POSITIVE_INFINITY
    peers.settle()
  })

  test('a state travels in bodies of any length, each of which can be read alone', () => {
    const { peers, one, a, b } = pair()
    const second = one.open('second')
    for (let at = 0; at < 500; at++) {
      a.set(`key:${at}`, 'x'.repeat(at), Number.POSITIVE_INFINITY)
      second.set(`key:${at}`, at, Number.POSITIVE_INFINITY)
    }
    a.delete('key:7')
    const bodies = [...one.replica.bodies(undefined, 20_000)]
    expect(bodies.length).toBeGreaterThan(5)
    for (const body of bodies) expect(body.length).toBeLessThanOrEqual(20_000)
    const other = peers.alive[1]!
    for (const body of bodies.reverse()) other.replica.merge(one.id, body)
    expect(contentOf(b)).toEqual(contentOf(a))
    expect(differing(one.replica.hashes().slice(), other.replica.hashes())).toEqual([])
    expect(other.replica.malformed).toBe(0)
  })

  test('what was handed out cannot change what is kept, here or there', () => {
    const { peers, a, b } = pair()
    const value = { list: [1], bytes: new Uint8Array([1, 2]) }
    a.set('k', value, Number.POSITIVE_INFINITY)
    expect(() => value.list.push(2)).toThrow(TypeError)
    value.bytes[0] = 9
    peers.settle()
    const read = b.get('k') as typeof value
    read.bytes[1] = 9
    expect(() => read.list.push(2)).toThrow(TypeError)
    expect(b.get('k')).toEqual({ list: [1], bytes: new Uint8Array([1, 2]) })
    expect(a.get('k')).toEqual({ list: [1], bytes: new Uint8Array([1, 2]) })
  })

  test('a clear empties both, for what comes late too, and not what came after it', () => {
    const { peers, a, b } = pair()
    a.set('k', 1, Number.POSITIVE_INFINITY)
    b.set('l', 1, Number.POSITIVE_INFINITY)
    peers.flush()
    a.clear()
    a.set('m', 2, Number.POSITIVE_INFINITY)
    peers.settle()
    // b's change is older than the clear on every clock: it was made in the same millisecond, by a lower counter.
    expect(contentOf(a)).toEqual(contentOf(b))
    expect(contentOf(a)).toHaveProperty('m', 2)
    expect(contentOf(a)).not.toHaveProperty('k')
  })

  test('a clear reaches the changes of a peer whose clock is ahead, and does not void what follows', () => {
    const { peers, one, a, b } = pair()
    one.skewMs = 7_200_000
    a.set('k', 1, Number.POSITIVE_INFINITY)
    peers.settle()
    b.clear()
    b.set('l', 2, Number.POSITIVE_INFINITY)
    peers.settle()
    expect([contentOf(a), contentOf(b)]).toEqual([{ l: 2 }, { l: 2 }])
  })

  test('the life that is left travels, whatever the clocks say', async () => {
    const { peers, other, a, b } = pair()
    other.skewMs = -3_600_000
    a.set('k', 1, 1000)
    peers.clock.advanceNow(400)
    peers.settle()
    peers.clock.advanceNow(590)
    expect(b.get('k')).toBe(1)
    peers.clock.advanceNow(20)
    expect([a.get('k'), b.get('k')]).toEqual([undefined, undefined])
    expect(differing(peers.alive[0]!.replica.hashes().slice(), peers.alive[1]!.replica.hashes())).toEqual([])
  })

  test('a value of a map that only the peer has opened is there when it is opened', () => {
    const peers = new Peers(1)
    const [one, other] = [peers.join(), peers.join()]
    one.open('late').set('k', 1, Number.POSITIVE_INFINITY)
    peers.settle()
    expect(other.open('late').get('k')).toBe(1)
    expect(() => other.open('late', {}, 'part')).toThrow(/sync 'part'/)
  })
})

describe('what is remembered', () => {
  test('what has expired and had replaced an older value keeps that from coming back, also where its writer did not know of it', () => {
    const peers = new Peers(1)
    const [one, other, third] = [peers.join(), peers.join(), peers.join()]
    const [a, b, c] = [one.open(), other.open(), third.open()]
    peers.cuts.add(`${one.id}>${other.id}`).add(`${other.id}>${one.id}`)
    b.set('k', 'older', Number.POSITIVE_INFINITY)
    peers.settleMessages()
    peers.clock.advanceNow(5)
    a.set('k', 'newer, for a second', 1000)
    peers.settleMessages()
    expect([b.get('k'), c.get('k')]).toEqual(['older', 'newer, for a second'])
    peers.clock.advanceNow(2000)
    peers.cuts.clear()
    peers.repair(other, third)
    peers.settle()
    expect([a.has('k'), b.has('k'), c.has('k')]).toEqual([false, false, false])
  })

  test('a mode is a byte, and no other byte is one', () => {
    const modes: number[] = []
    for (let byte = 0; byte < 256; byte++) {
      try {
        expect(modeByte(modeOf(byte))).toBe(byte)
        modes.push(byte)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    expect(modes.map((byte) => modeOf(byte))).toEqual([
      { sync: 'full', everything: false },
      { sync: 'part', everything: false },
      { sync: 'invalidate', everything: false },
      { sync: 'full', everything: true },
    ])
  })

  test('how long peers may be apart is how far back deletions are known, of maps that all hold whole', () => {
    const peers = new Peers(1, { rememberMs: 60_000, rememberedMax: 100 })
    const { replica } = peers.join()
    const map = replica.open('whole', { sync: 'full', everything: true }, UNBOUNDED)
    const part = replica.open('part', { sync: 'part', everything: false }, UNBOUNDED)
    expect(replica.awayMsMax).toBe(60_000)
    for (let at = 0; at < 200; at++) part.set(`k${at}`, at, Number.POSITIVE_INFINITY)
    expect(replica.awayMsMax).toBe(60_000)
    for (let at = 0; at < 200; at++) {
      map.set(`k${at}`, at, Number.POSITIVE_INFINITY)
      map.delete(`k${at}`)
      peers.clock.advanceNow(100)
    }
    // The hundred newest deletions lie up to 10 s back.
    expect(replica.awayMsMax).toBeGreaterThan(9000)
    expect(replica.awayMsMax).toBeLessThanOrEqual(10_100)
    expect(map.ledger.size).toBeLessThanOrEqual(100)
    for (let second = 0; second < 62; second++) peers.clock.advanceNow(1000)
    expect(replica.awayMsMax).toBe(60_000)
  })

  test('who starts afresh drops everything, also what it still had to say, and takes the state of the other', () => {
    const { peers, one, other, a, b } = pair()
    for (let at = 0; at < 100; at++) a.set(`k${at}`, at, Number.POSITIVE_INFINITY)
    peers.settle()
    b.set('only here', 1, Number.POSITIVE_INFINITY)
    let reached = -1
    b.unsent.mark((seq) => {
      reached = seq
    })
    other.replica.wipe()
    expect([b.size, b.unsent.size, b.ledger.size, reached]).toEqual([0, 0, 0, 0])
    expect(other.replica.hashes().every((hash) => hash === 0)).toBe(true)
    peers.settle()
    expect(contentOf(b)).toEqual(contentOf(a))
    expect(b.size).toBe(100)
    expect(other.told.at(-1)).toMatch(/^set/)
    expect(one.replica.isBusy()).toBe(false)
  })
})

describe('large values', () => {
  const large = (fill: string) => ({ text: fill.repeat(300_000) })

  test('are announced and fetched', async () => {
    const { peers, one, a, b } = pair()
    a.set('k', large('x'), Number.POSITIVE_INFINITY)
    peers.settleMessages()
    await peers.clock.advance(0)
    expect(b.get('k')).toEqual(large('x'))
    expect(one.sentBodies.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(200)
    peers.settle()
  })

  test('the older value stays until the newer has come, and the newest announcement counts', async () => {
    const { peers, a, b } = pair()
    a.set('k', 'old', Number.POSITIVE_INFINITY)
    peers.settle()
    a.set('k', large('x'), Number.POSITIVE_INFINITY)
    peers.settleMessages()
    expect(b.get('k')).toBe('old')
    a.set('k', large('y'), Number.POSITIVE_INFINITY)
    peers.settleMessages()
    await peers.clock.advance(0)
    expect(b.get('k')).toEqual(large('y'))
    peers.settle()
  })

  test('are fetched from another peer when the origin is gone', async () => {
    const peers = new Peers(1)
    const [one, other, third] = [peers.join(), peers.join(), peers.join()]
    const [a, , c] = [one.open(), other.open(), third.open()]
    peers.cuts.add(`${one.id}>${third.id}`)
    a.set('k', large('x'), Number.POSITIVE_INFINITY)
    peers.settleMessages()
    await peers.clock.advance(0)
    peers.crash(one)
    peers.repair(other, third)
    await peers.clock.advance(0)
    expect(c.get('k')).toEqual(large('x'))
  })

  test('beyond the bound are refused, and nothing has changed', () => {
    const { a } = pair()
    a.set('k', 1, Number.POSITIVE_INFINITY)
    expect(() => a.set('k', 'x'.repeat(17 * 1024 * 1024), Number.POSITIVE_INFINITY)).toThrow(/cannot be kept/)
    expect(() => a.set('k', () => 1, Number.POSITIVE_INFINITY)).toThrow(/cannot be kept/)
    expect(a.get('k')).toBe(1)
  })
})

test('copies in a part map are dropped when messages of a peer are lost that was away for longer than changes are remembered', () => {
  const peers = new Peers(1)
  const [one, other] = [peers.join(), peers.join()]
  const map = one.open('prices', {}, 'part')
  map.set('k', 1, Number.POSITIVE_INFINITY)
  other.open('prices', {}, 'part').set('heard', 1, Number.POSITIVE_INFINITY)
  peers.settle()
  peers.clock.advanceNow(1000)
  one.replica.lost(other.id)
  expect(map.has('k')).toBe(true)
  peers.clock.advanceNow(600_000)
  one.replica.lost(other.id)
  expect(map.has('k')).toBe(false)
})
