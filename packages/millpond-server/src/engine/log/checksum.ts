/** CRC-32, of what is appended to a log. Node's own where it has one (22.2 and later). */
import * as zlib from 'node:zlib'

const own: ((bytes: Uint8Array) => number) | undefined = (zlib as { crc32?: (bytes: Uint8Array) => number }).crc32

const TABLE = Int32Array.from({ length: 256 }, (_, row) => {
  let value = row
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb8_8320
  return value
})

export function crc32(bytes: Uint8Array): number {
  return own ? own(bytes) : plainCrc32(bytes)
}

export function plainCrc32(bytes: Uint8Array): number {
  let value = -1
  for (let at = 0; at < bytes.length; at++) value = TABLE[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8)
  return ~value >>> 0
}
