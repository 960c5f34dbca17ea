/** A random id of 96 bits as 16 characters of base64url: names a process life, a tombstone, a tag's version. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  let id = ''
  for (let at = 0; at < 12; at += 3) {
    const word = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    for (let shift = 18; shift >= 0; shift -= 6) id += ALPHABET[(word >>> shift) & 63]
  }
  return id
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
