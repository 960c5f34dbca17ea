/**
 * The hash slot of a key, by which a cluster spreads keys over its servers: CRC-16 (XMODEM) of its bytes modulo 16384,
 * or of what stands between the first `{` and the next `}`, where that is not empty. As in the Redis Cluster
 * specification, "Key distribution model" and "Hash tags".
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) ^ TABLE[(crc >> 8) ^ byte]!) & 0xffff
  return crc & 0x3fff
}

/** The CRC of each byte; its polynomial is x^16 + x^12 + x^5 + 1. */
const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)
  return crc
})

/** The places of `keys` in their list, one group for each slot. */
export function bySlot(keys: readonly string[]): number[][] {
  const groups = new Map<number, number[]>()
  for (const [at, key] of keys.entries()) {
    const slot = slotOf(key)
    const group = groups.get(slot)
    if (group === undefined) groups.set(slot, [at])
    else group.push(at)
  }
  return [...groups.values()]
}
