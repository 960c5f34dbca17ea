/** Keys in base64, as memcached reads them: what is no digit of base64 is passed over. */

const VALUES: Int8Array = new Int8Array(256).fill(-1)
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  VALUES[digit.charCodeAt(0)] = value
}
const PAD = 61

/** Decodes into `target`. Returns how many bytes it is; 0: it is no base64. */
export function decodeBase64(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const digits: number[] = []
  for (let at = start; at < end; at++) if (bytes[at] === PAD || VALUES[bytes[at]!]! >= 0) digits.push(bytes[at]!)
  if (digits.length === 0 || digits.length % 4 !== 0) return 0
  let length = 0
  for (let at = 0; at < digits.length; at += 4) {
    const group = digits.slice(at, at + 4)
    const [first, second, third, fourth] = group.map((digit) => Math.max(0, VALUES[digit]!)) as [
      number,
      number,
      number,
      number,
    ]
    target[length] = (first << 2) | (second >> 4)
    target[length + 1] = (second << 4) | (third >> 2)
    target[length + 2] = (third << 6) | fourth
    length += 3
    const pads = group.filter((digit) => digit === PAD).length
    if (pads > 2) return 0
    if (pads > 0) return length - pads
  }
  return length
}
