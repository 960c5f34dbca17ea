import { describe, expect, test } from 'vitest'
import { TestService } from '../testing.ts'
import { countBits, findBit, readBits, writeBits } from './bits.ts'

/** Numbers from 0 to below another, the same ones for a seed. */
function draws(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

const digitsOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')

describe('bits among bytes', () => {
  test('are counted, found and read as their digits tell', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = draws(seed)
      const start = random(5)
      const dense = random(3)
      const bytes = Uint8Array.from({ length: start + 1 + random(40) }, () => [0, 255, random(256)][dense]!)
      if (dense < 2) bytes[random(bytes.length)] = random(256)
      const digits = digitsOf(bytes.subarray(start))
      const first = random(digits.length)
      const last = first + random(digits.length - first)
      const part = digits.slice(first, last + 1)
      const range = { first, last }
      expect(countBits(bytes, start, range), `seed ${seed}`).toBe(part.replaceAll('0', '').length)
      for (const bit of [0, 1] as const) {
        const found = part.indexOf(String(bit))
        expect(findBit(bytes, start, range, bit), `seed ${seed}`).toBe(found < 0 ? -1 : first + found)
      }
      const width = 1 + random(64)
      const expected = `${digits}${'0'.repeat(64)}`.slice(first, first + width)
      expect(readBits(bytes, start, bytes.length, first, width), `seed ${seed}`).toBe(BigInt(`0b${expected}`))
    }
  })

  test('are written where they belong, and nowhere else', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = draws(seed)
      const bytes = Uint8Array.from({ length: 20 }, () => random(256))
      const digits = digitsOf(bytes)
      const width = 1 + random(64)
      const bit = random(160 - width)
      const value = BigInt.asUintN(width, BigInt(random(2 ** 31)) * BigInt(random(2 ** 31)))
      writeBits(bytes, bit, width, value)
      const written = value.toString(2).padStart(width, '0')
      expect(digitsOf(bytes), `seed ${seed}`).toBe(digits.slice(0, bit) + written + digits.slice(bit + width))
    }
  })
})

function start() {
  const service = new TestService()
  return { service, client: service.client() }
}

describe('commands', () => {
  test('SETBIT tells of a change only where there is one', () => {
    const { service, client } = start()
    const events = service.events()
    expect(client.say('setbit key 7 0')).toBe(0)
    expect(client.say('setbit key 7 0')).toBe(0)
    expect(client.say('setbit key 7 1')).toBe(0)
    expect(client.say('setbit key 7 1')).toBe(1)
    expect(client.say('get key')).toBe('\x01')
    expect(events).toEqual(['setbit key', 'setbit key'])
  })

  test('BITFIELD wraps, saturates or refuses, each step as the last OVERFLOW says', () => {
    const { client } = start()
    expect(client.say('bitfield key set u8 #1 250 incrby u8 #1 10 get u8 8')).toEqual([0, 4, 4])
    expect(client.say('bitfield key overflow sat incrby i8 0 200 incrby i8 0 -300')).toEqual([127, -128])
    expect(client.say('bitfield key overflow fail incrby u2 0 9 overflow wrap incrby u2 0 9')).toEqual([null, 3])
    expect(client.say('bitfield key set i64 0 -9223372036854775808 get u63 1')).toEqual([expect.anything(), 0])
  })

  test('BITPOS finds zeros behind the end only where no end is given', () => {
    const { client } = start()
    client.run('set', 'key', '\xff\xff')
    expect(client.say('bitpos key 0')).toBe(16)
    expect(client.say('bitpos key 0 1')).toBe(16)
    expect(client.say('bitpos key 0 0 -1')).toBe(-1)
    expect(client.say('bitpos key 1 9 -1 bit')).toBe(9)
    expect(client.say('bitpos none 0')).toBe(0)
    expect(client.say('bitpos none 1')).toBe(-1)
  })

  test('BITOP takes what is shorter as zeros, and nothing for nothing', () => {
    const { client } = start()
    client.run('mset', 'long', '\xff\x0f\xaa', 'short', '\xf0')
    expect(client.say('bitop and key long short none')).toBe(3)
    expect(client.say('get key')).toBe('\0\0\0')
    expect(client.say('bitop xor key long short')).toBe(3)
    expect(client.say('get key')).toBe('\x0f\x0f\xaa')
    expect(client.say('bitop not key none')).toBe(0)
    expect(client.say('exists key')).toBe(0)
  })

  test.each(['setbit key 4294967296 1', 'setbit key -1 1', 'getbit key a', 'bitfield key get u8 #-1'])(
    '%s: there is no such place',
    (line) => {
      expect(start().client.say(line)).toEqual({ error: 'ERR bit offset is not an integer or out of range' })
    },
  )
})
