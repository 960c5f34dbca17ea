/** What a process tells of its whole state in a hint, so that others find out that theirs is another. */
export interface Digest {
  /** It has joined: it may be compared with. */
  readonly ready: boolean
  /** Its own changes are still on their way: a difference means nothing. */
  readonly busy: boolean
  /** Its monotonic clock, in milliseconds. */
  readonly nowMs: number
  readonly root: string
}

const DIGEST_BYTES = 18

/** `u8 1, u8 flags, f64 time of the sender, two words of the root` */
export function writeDigest({ ready, busy, nowMs, root }: Digest): Uint8Array {
  const bytes = Buffer.alloc(DIGEST_BYTES)
  bytes[0] = 1
  bytes[1] = (ready ? 1 : 0) | (busy ? 2 : 0)
  bytes.writeDoubleLE(nowMs, 2)
  bytes.write(root, 10, 'hex')
  return bytes
}

/** A digest, or `undefined` where the bytes are none. */
export function readDigest(body: Uint8Array): Digest | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.length !== DIGEST_BYTES || bytes[0] !== 1) return undefined
  const root = bytes.toString('hex', 10)
  return { ready: (bytes[1]! & 1) !== 0, busy: (bytes[1]! & 2) !== 0, nowMs: bytes.readDoubleLE(2), root }
}

/** One hash of the hashes of all buckets, as 16 digits. */
export function rootOf(hashes: Uint32Array): string {
  let first = 0x9e3779b9
  let second = 0x85ebca6b
  for (let at = 0; at < hashes.length; at += 2) {
    first = Math.imul(first ^ hashes[at]!, 0x2c1b3c6d)
    second = Math.imul(second ^ hashes[at + 1]! ^ (first >>> 15), 0x297a2d39)
    first ^= second >>> 13
  }
  return [first, second].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** Buckets whose hashes differ. */
export function differing(ours: Uint32Array, theirs: Uint32Array): number[] {
  const buckets: number[] = []
  for (let at = 0; at < ours.length; at += 2)
    if (ours[at] !== theirs[at] || ours[at + 1] !== theirs[at + 1]) buckets.push(at / 2)
  return buckets
}

/** Numbers of buckets as a bitmap. */
export function writeBuckets(buckets: readonly number[], count: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8))
  for (const bucket of buckets) bits[bucket >> 3]! |= 1 << (bucket & 7)
  return bits
}

export function readBuckets(bits: Uint8Array, count: number): number[] {
  const buckets: number[] = []
  for (let bucket = 0; bucket < count; bucket++)
    if ((bits[bucket >> 3]! & (1 << (bucket & 7))) !== 0) buckets.push(bucket)
  return buckets
}
