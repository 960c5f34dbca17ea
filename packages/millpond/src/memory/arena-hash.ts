/**
 * A keyed hash of bytes: HalfSipHash with one round a word and three at the end. Without the two seed words nobody can
 * make keys that collide (weaker hashes with a seed, murmur among them, have collisions that hold for every seed).
 *
 * The words that it is made of are left in `words`, as many as there is room for: whoever compares the key needs them again.
 *
 * Aumasson, Bernstein: SipHash: a fast short-input PRF (INDOCRYPT 2012); HalfSipHash is its form for 32-bit words, as
 * the Linux kernel uses it for hash tables.
 */
export function hashBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed0: number,
  seed1: number,
  words: Int32Array = NO_WORDS,
): number {
  let v0 = seed0
  let v1 = seed1
  let v2 = seed0 ^ 0x6c796765
  let v3 = seed1 ^ 0x74656462
  const whole = start + ((end - start) & ~3)
  let at = start
  let word = 0
  let kept = 0
  // The rounds are written out: a helper could not return four words without allocating.
  for (let left = 0; left < 4; ) {
    if (at < whole) {
      word = wordAt(bytes, at)
      at += 4
      if (kept < words.length) words[kept++] = word
    } else if (left === 0) {
      word = lastWord(bytes, at, end, end - start)
      if (kept < words.length) words[kept] = word
      left = 1
    } else {
      if (left === 1) v2 ^= 0xff
      word = 0
      left++
    }
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}

const NO_WORDS = new Int32Array(0)

/** Four bytes as a word, the first one lowest. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** The bytes that do not fill a word, with the length on top: so a key and the same key with zeros behind it differ. */
export function lastWord(bytes: Uint8Array, at: number, end: number, length: number): number {
  let word = length << 24
  if (at < end) word |= bytes[at]!
  if (at + 1 < end) word |= bytes[at + 1]! << 8
  if (at + 2 < end) word |= bytes[at + 2]! << 16
  return word
}

/** Another well mixed word of a hash whose low bits are the same for all keys of a stripe (the finish of MurmurHash3). */
export function remix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
