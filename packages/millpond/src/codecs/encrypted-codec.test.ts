import { deepStrictEqual } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import { createCache } from '../cache/cache.ts'
import { type Codec, jsonCodec } from '../core/codec.ts'
import { OptionError, ValueError } from '../core/errors.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { compressedCodec } from './compressed-codec.ts'
import { encryptedCodec } from './encrypted-codec.ts'

const [first, second] = [randomBytes(32), randomBytes(32)]
const value = { card: '4111-1111', at: new Date(0), deep: [new Map([[1, 2n]])], none: undefined }

describe('encryptedCodec', () => {
  it('gives back what it was given, and shows nothing of it', () => {
    const codec = encryptedCodec({ keys: [first] })
    const text = codec.encode(value)
    deepStrictEqual(codec.decode(text), value)
    expect(text).toMatch(/^!e1[\w-]{8}[\w+/]+=*$/)
    expect(Buffer.from(text.slice(11), 'base64').toString('latin1')).not.toContain('4111')
  })

  it('makes another text of the same value each time', () => {
    const codec = encryptedCodec({ keys: [first] })
    const texts = Array.from({ length: 100 }, () => codec.encode(1))
    expect(new Set(texts).size).toBe(100)
  })

  it('reads by whichever key, and writes by the first: keys can be rotated by steps', () => {
    const [old, added, turned, done] = [[first], [first, second], [second, first], [second]].map((keys) =>
      encryptedCodec({ keys }),
    ) as [Codec, Codec, Codec, Codec]
    expect(added.decode(old.encode(1))).toBe(1)
    expect(old.decode(added.encode(1))).toBe(1)
    expect(turned.decode(added.encode(1))).toBe(1)
    expect(added.decode(turned.encode(1))).toBe(1)
    expect(done.decode(turned.encode(1))).toBe(1)
    expect(() => done.decode(old.encode(1))).toThrow('not among keys')
  })

  it('takes keys as bytes, base64, base64url and hex: the same key', () => {
    const text = encryptedCodec({ keys: [first] }).encode(value)
    for (const key of [
      new Uint8Array(first),
      first.toString('hex'),
      first.toString('hex').toUpperCase(),
      `${first.toString('base64')}\n`,
      first.toString('base64url'),
    ]) {
      deepStrictEqual(encryptedCodec({ keys: [key] }).decode(text), value)
    }
  })

  it('notices every changed character', () => {
    const codec = encryptedCodec({ keys: [first, second] })
    const text = codec.encode('a value')
    const misread = Array.from(text, (char, at) => {
      const changed = text.slice(0, at) + (char === 'A' ? 'B' : 'A') + text.slice(at + 1)
      // The last characters of base64 hold bits that mean nothing.
      if (Buffer.from(changed.slice(11), 'base64').equals(Buffer.from(text.slice(11), 'base64')) && at > 10)
        return false
      return decodes(codec, changed)
    })
    expect(misread).not.toContain(true)
    for (let length = 0; length < text.length - 2; length++) expect(decodes(codec, text.slice(0, length))).toBe(false)
  })

  it('does not take the value of one key for one of another', () => {
    const text = encryptedCodec({ keys: [first] }).encode(1)
    const name = encryptedCodec({ keys: [second] })
      .encode(1)
      .slice(3, 11)
    const renamed = text.slice(0, 3) + name + text.slice(11)
    expect(() => encryptedCodec({ keys: [first, second] }).decode(renamed)).toThrow(ValueError)
  })

  it('refuses values that are not encrypted, unless told otherwise', () => {
    const plain = jsonCodec.encode(value)
    expect(() => encryptedCodec({ keys: [first] }).decode(plain)).toThrow('not encrypted')
    deepStrictEqual(encryptedCodec({ keys: [first], acceptPlain: true }).decode(plain), value)
    const compressed = compressedCodec().encode(long)
    const codec = encryptedCodec({ keys: [first], codec: compressedCodec(), acceptPlain: true })
    expect(codec.decode(compressed)).toBe(long)
  })

  it('compresses before it encrypts, and makes base64 once', () => {
    const noisy = randomBytes(10_000).toString('hex')
    const codec = encryptedCodec({ keys: [first], codec: compressedCodec({ threshold: 1 }) })
    expect(codec.decode(codec.encode(noisy))).toBe(noisy)
    expect(codec.encode(noisy).length).toBeLessThan(10_000 * 1.6)
    expect(codec.encode(long).length).toBeLessThan(300)
    expect(codec.decode(codec.encode(long))).toBe(long)
  })

  it('reads what was encrypted before compression was turned on, and after it was turned off', () => {
    const plain = encryptedCodec({ keys: [first] })
    const compressed = encryptedCodec({ keys: [first], codec: compressedCodec() })
    expect(compressed.decode(plain.encode(long))).toBe(long)
    expect(plain.decode(compressed.encode(long))).toBe(long)
  })

  it('quotes no value when the inner codec has another form', () => {
    const text = encryptedCodec({ keys: [first], codec: { encode: () => 'secret!', decode: String } }).encode(1)
    const error = failureOf(() => encryptedCodec({ keys: [first] }).decode(text))
    expect(error).toBeInstanceOf(ValueError)
    expect(inspect(error, { depth: 9 })).not.toContain('secret')
  })

  test.each([
    ['no keys', []],
    ['no list', 'abc' as never],
    ['a short key', [first.toString('base64').slice(4)]],
    ['a key that is no text of bytes', [`${first.toString('hex').slice(1)}?`]],
    ['a second key of another kind', [first, 17 as never]],
    ['short bytes', [first.subarray(1)]],
  ])('refuses %s, and shows no key', (_, keys) => {
    const error = failureOf(() => encryptedCodec({ keys }))
    expect(error).toBeInstanceOf(OptionError)
    const shown = inspect(error, { depth: 9, showHidden: true })
    for (const form of ['hex', 'base64'] as const) expect(shown).not.toContain(first.toString(form).slice(8, 20))
  })

  it('shows no key when it is inspected', () => {
    const codec = encryptedCodec({ keys: [first, second] })
    const shown = inspect(codec, { depth: 9, showHidden: true }) + JSON.stringify(codec)
    for (const form of ['hex', 'base64'] as const) expect(shown).not.toContain(first.toString(form).slice(8, 20))
    expect(shown).not.toContain([...first.subarray(0, 3)].join(', '))
  })
})

describe('a cache whose store was written by another codec', () => {
  const key = [randomBytes(32)]
  const other = [randomBytes(32)]
  const codecs: [string, Codec, Codec][] = [
    ['by an older release, without encryption', jsonCodec, encryptedCodec({ keys: key })],
    ['by a newer release, with encryption', encryptedCodec({ keys: key }), jsonCodec],
    ['with a key that has gone', encryptedCodec({ keys: key }), encryptedCodec({ keys: other })],
    ['by a newer release, with compression', compressedCodec({ threshold: 1 }), jsonCodec],
    ['by somebody who changed it', { ...jsonCodec, encode: () => '!e1AAAAAAAABBBB' }, encryptedCodec({ keys: key })],
  ]
  test.each(codecs)('%s: a miss and an event, and no exception for the reader', async (_, writer, reader) => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const first = createCache({ store, clock, codec: writer })
    await first.getOrSet('a', () => long)
    await clock.advance(1)
    const second = createCache({ store, clock, codec: reader })
    const told: unknown[] = []
    second.on('decodeError', (event) => told.push(event))
    expect(await second.get('a')).toBeUndefined()
    expect(await second.getOrSet('a', () => 'loaded')).toBe('loaded')
    expect(told.length).toBeGreaterThan(0)
    expect(told[0]).toMatchObject({ key: 'a', error: expect.any(ValueError) })
    expect(second.stats().misses).toBe(2)
    await clock.advance(1)
    expect(await createCache({ store, clock, codec: reader }).get('a')).toBe('loaded')
  })

  it('reads it where both know both', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const codecs = [
      compressedCodec(),
      jsonCodec,
      encryptedCodec({ keys: key, codec: compressedCodec(), acceptPlain: true }),
    ]
    await createCache({ store, clock, codec: jsonCodec }).getOrSet('a', () => value)
    await clock.advance(1)
    for (const codec of codecs) deepStrictEqual(await createCache({ store, clock, codec }).get('a'), value)
  })
})

const long = 'water '.repeat(1000)

function decodes(codec: Codec, text: string): boolean {
  try {
    codec.decode(text)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(ValueError)
    return false
  }
}

function failureOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}
