/** A random id of 96 bits as 16 characters of base64url: names a process life, a tombstone, a tag's version. */
export function randomId(): string {
  if (next === random.length) {
    crypto.getRandomValues(random)
    next = 0
  }
  let id = ''
  for (const end = next + ID_BYTES; next < end; next += 3) {
    const word = (random[next]! << 16) | (random[next + 1]! << 8) | random[next + 2]!
    for (let shift = 18; shift >= 0; shift -= 6) id += ALPHABET[(word >>> shift) & 63]
  }
  return id
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ID_BYTES = 12

/** Random bytes for many ids: asking for them costs far more than they do. None is used twice. */
const random = new Uint8Array(128 * ID_BYTES)
let next = random.length
