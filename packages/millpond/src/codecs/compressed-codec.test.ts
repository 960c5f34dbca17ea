import { deepStrictEqual } from 'node:assert'
import { brotliCompressSync, constants, deflateSync } from 'node:zlib'
import { describe, expect, it, test } from 'vitest'
import { jsonCodec } from '../core/codec.ts'
import { OptionError, ValueError } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { compressedCodec } from './compressed-codec.ts'

const long = { text: 'water '.repeat(1000), at: new Date(0), tags: new Set(['a']), none: undefined, big: 17n }

describe('compressedCodec', () => {
  test.each(['deflate', 'brotli'] as const)('%s gives back what it was given, in a tenth of the text', (algorithm) => {
    const codec = compressedCodec({ algorithm })
    const text = codec.encode(long)
    deepStrictEqual(codec.decode(text), long)
    expect(text.length).toBeLessThan(jsonCodec.encode(long).length / 10)
    expect(text).toMatch(/^!z1[db][\w+/]+=*$/)
  })

  it('reads each algorithm, whichever it writes', () => {
    const [deflate, brotli] = [compressedCodec({ algorithm: 'deflate' }), compressedCodec({ algorithm: 'brotli' })]
    deepStrictEqual(deflate.decode(brotli.encode(long)), long)
    deepStrictEqual(brotli.decode(deflate.encode(long)), long)
  })

  it('reads what was stored before compression was turned on', () => {
    for (const value of [long, 'plain', { id: 1 }, undefined, new Map([[1, 2n]])]) {
      deepStrictEqual(compressedCodec().decode(jsonCodec.encode(value)), value)
    }
  })

  it('is refused by a release that does not know it, rather than misread', () => {
    expect(() => jsonCodec.decode(compressedCodec().encode(long))).toThrow(ValueError)
  })

  it('leaves alone what is short, what does not get smaller, and what is beyond maxSize', () => {
    const random = seededRandom(7)
    const noise = Array.from({ length: 2000 }, () => String.fromCharCode(33 + Math.floor(random() * 94))).join('')
    expect(compressedCodec().encode('ü'.repeat(500))).toBe(JSON.stringify('ü'.repeat(500)))
    expect(compressedCodec().encode('ü'.repeat(512))).toMatch(/^!z1/)
    expect(compressedCodec({ threshold: 1 }).encode(noise)).toBe(JSON.stringify(noise))
    const bounded = compressedCodec({ maxSize: '4kb' })
    expect(bounded.encode(long)).toBe(jsonCodec.encode(long))
    deepStrictEqual(bounded.decode(bounded.encode(long)), long)
  })

  test.each([
    ['deflate', 'd', deflateSync],
    ['brotli', 'b', fastBrotli],
  ])('refuses a bomb before it fills the memory: %s', (_, letter, compress) => {
    const bomb = `!z1${letter}${compress(Buffer.alloc(200 * 1024 * 1024)).toString('base64')}`
    expect(bomb.length).toBeLessThan(300_000)
    const before = process.memoryUsage().arrayBuffers
    expect(() => compressedCodec({ maxSize: '1mb' }).decode(bomb)).toThrow('larger than maxSize')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024)
  })

  it('keeps the text of a codec that begins like its own', () => {
    const own = { encode: String, decode: (text: string) => text }
    const codec = compressedCodec({ codec: own })
    for (const text of ['!z1dAAAA', '!z0', '!z', `!z${'a'.repeat(5000)}`, '!', '', 'x'.repeat(5000)]) {
      expect(codec.decode(codec.encode(text))).toBe(text)
    }
  })

  test.each([
    ['cut off', compressedCodec().encode(long).slice(0, 60)],
    ['of a later format', '!z2dAAAA'],
    ['of an unknown algorithm', '!z1qAAAA'],
    ['of no algorithm', '!z1'],
    ['no base64', '!z1d€€€€'],
  ])('refuses what is %s', (_, text) => {
    expect(() => compressedCodec().decode(text)).toThrow(ValueError)
  })

  it('refuses options that cannot be used', () => {
    expect(() => compressedCodec({ algorithm: 'toString' as never })).toThrow(OptionError)
    expect(() => compressedCodec({ threshold: '1 kb' as never })).toThrow('threshold')
    expect(() => compressedCodec({ maxSize: 0 })).toThrow('maxSize')
  })
})

function fastBrotli(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
}
