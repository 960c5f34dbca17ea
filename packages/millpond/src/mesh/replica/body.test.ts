import { expect, test } from 'vitest'
import { ValueError } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import { valueCodec } from '../wire/value-codec.ts'
import { BodyReader, BodyWriter, type Operation } from './body.ts'
import { Peers } from './peers.fixture.ts'

const random = seededRandom(3)
const FOREVER = Number.POSITIVE_INFINITY

function someOperation(): Operation {
  const kind = (['set', 'delete', 'void', 'announce'] as const)[Math.floor(random() * 4)]!
  const version = Math.floor(random() * Number.MAX_SAFE_INTEGER)
  const bytes =
    kind === 'set'
      ? new Uint8Array(Math.floor(random() * 300)).fill(7)
      : kind === 'announce'
        ? new Uint8Array(16).fill(9)
        : undefined
  return {
    kind,
    key: ['', 'k', 'ü', '\ud800', '語'.repeat(99), '\0'][Math.floor(random() * 6)]!,
    version,
    origin: random() < 0.5 ? undefined : Math.floor(random() * Number.MAX_SAFE_INTEGER),
    base: random() < 0.5 ? FOREVER : Math.floor(random() * version),
    lifeMs: random() < 0.5 ? FOREVER : Math.floor(random() * 1e9),
    memoryMs: random() < 0.5 ? undefined : Math.floor(random() * 1e6),
    bytes,
    sizeBytes: kind === 'set' ? bytes!.length : kind === 'announce' ? 12_345_678 : 0,
  }
}

function fieldsOf({ kind, key, version, origin, base, lifeMs, memoryMs, sizeBytes, bytes }: Operation): object {
  return {
    kind,
    key,
    version,
    origin,
    base,
    lifeMs,
    memoryMs,
    sizeBytes,
    bytes: Buffer.from(bytes ?? []).toString('hex'),
  }
}

test('what was written is read', () => {
  const reader = new BodyReader()
  for (let turn = 0; turn < 300; turn++) {
    const writer = new BodyWriter(64 * 1024)
    const operations = Array.from({ length: 1 + Math.floor(random() * 20) }, someOperation)
    writer.begin(64 * 1024, 1)
    for (const operation of operations) expect(writer.add('prices ü', 6, operation)).toBe(true)
    writer.add('prices ü', 6, { ...operations[0]!, kind: 'clear', bytes: undefined, sizeBytes: 0 })
    reader.open(writer.body)
    expect(reader.next()).toBe(true)
    expect([reader.kind, reader.key, reader.mode]).toEqual(['map', 'prices ü', 6])
    for (const operation of operations) {
      expect(reader.next()).toBe(true)
      expect(fieldsOf(reader)).toEqual(fieldsOf(operation))
    }
    expect(reader.next()).toBe(true)
    expect([reader.kind, reader.version]).toEqual(['clear', operations[0]!.version])
    expect(reader.next()).toBe(false)
  }
})

test('a value is encoded in place, whatever its length; what does not fit leaves the body as it was', () => {
  const reader = new BodyReader()
  for (const length of [0, 1, 62, 120, 128, 129, 200, 5000, 20_000]) {
    const writer = new BodyWriter(64 * 1024)
    writer.begin(30_000, 1)
    const value = 'ü'.repeat(length)
    const operation = { ...someOperation(), kind: 'set', bytes: undefined, value, sizeBytes: 0 } as const
    expect(writer.add('m', 0, operation)).toBe(true)
    const before = Buffer.from(writer.body).toString('hex')
    expect(writer.add('other', 0, { ...operation, value: 'x'.repeat(30_000) })).toBe(false)
    expect(Buffer.from(writer.body).toString('hex')).toBe(before)
    expect(writer.add('m', 0, operation)).toBe(length < 20_000)
    reader.open(writer.body)
    reader.next()
    reader.next()
    expect(valueCodec.decode(reader.bytes)).toBe(value)
    expect(reader.key).toBe(operation.key)
  }
})

test('bytes that are no body throw ValueError and nothing else', () => {
  const reader = new BodyReader()
  for (let turn = 0; turn < 20_000; turn++) {
    const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 60) }, () => random() * 256)
    try {
      reader.open(bytes)
      while (reader.next());
    } catch (error) {
      expect(error).toBeInstanceOf(ValueError)
    }
  }
})

test('a replica that is given damaged bodies throws nothing, counts them, and is repaired', () => {
  const peers = new Peers(5)
  const [one, other] = [peers.join(), peers.join()]
  const [a, b] = [one.open(), other.open()]
  for (let at = 0; at < 200; at++) a.set(`k${at % 50}`, at % 3 === 0 ? { at } : `value ${at}`, FOREVER)
  peers.flush()
  const bodies = one.sentBodies
  for (let turn = 0; turn < 2000; turn++) {
    const body = Uint8Array.from(bodies[Math.floor(random() * bodies.length)]!)
    // The head names map and mode: what is damaged there is another map.
    for (let flips = 0; flips < 3; flips++)
      body[11 + Math.floor(random() * (body.length - 11))]! ^= 1 << Math.floor(random() * 8)
    other.replica.message(one.id, body.subarray(0, 12 + Math.floor(random() * (body.length - 12))))
  }
  expect(other.replica.malformed).toBeGreaterThan(100)
  for (const key of [...b.keys()]) b.get(key)
  // A life of less than a second that came about ends by itself.
  peers.clock.advanceNow(1100)
  peers.settle()
  expect(new Map([...b.keys()].map((key) => [key, b.get(key)]))).toEqual(
    new Map([...a.keys()].map((key) => [key, a.get(key)])),
  )
})
