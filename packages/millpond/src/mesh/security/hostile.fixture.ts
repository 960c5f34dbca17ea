import type { Random } from '../../core/random.ts'

/**
 * A datagram that must have no effect: noise, noise with a good head, a recording, a recording with a bit flipped, cut, with another
 * number, from another sender, or grown.
 */
export function hostile(random: Random, recorded: readonly Buffer[]): Uint8Array {
  const kind = Math.floor(random() * 8)
  const copy = Buffer.from(recorded[Math.floor(random() * recorded.length)]!)
  const noise = Buffer.alloc(Math.floor(random() * 200))
  for (let at = 0; at < noise.length; at++) noise[at] = random() * 256
  if (kind === 0) return noise
  if (kind === 1) return Buffer.concat([copy.subarray(0, 32), noise])
  if (kind === 3) copy[Math.floor(random() * copy.length)]! ^= 1 << Math.floor(random() * 8)
  if (kind === 4) return copy.subarray(0, Math.floor(random() * copy.length))
  if (kind === 5) copy.writeUIntLE(100 + Math.floor(random() * 2 ** 40), 12, 6)
  if (kind === 6) copy.writeUInt32LE(random() * 2 ** 32, 20)
  if (kind === 7) return Buffer.concat([copy, noise.subarray(0, 1 + (noise.length >> 1))])
  return copy
}
