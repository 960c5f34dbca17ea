/** One text for the hashes of all buckets: equal where they are equal. */
export function checksumOf(hashes: Uint32Array): string {
  let first = 0x811c9dc5
  let second = 0x1b873593
  for (const hash of hashes) {
    first = Math.imul(first ^ hash, 0x01000193)
    second = Math.imul(second ^ (first >>> 15) ^ hash, 0x85ebca6b)
  }
  return [first, second].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}
