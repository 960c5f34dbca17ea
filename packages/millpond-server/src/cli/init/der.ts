/** Values in DER, the encoding of certificates: a tag, a length, the content (ITU-T X.690, sections 8 and 10). */

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length])
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
export const setOf = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts)
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes)
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text))
/** Whole bytes of bits. */
export const bits = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes)
export const yes = (): Buffer => der(0x01, Buffer.from([0xff]))
/** A whole number above 0. */
export const integer = (bytes: Uint8Array): Buffer => der(0x02, ...(bytes[0]! & 0x80 ? [Buffer.from([0])] : []), bytes)
/** `[number]` around other values. */
export const context = (number: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 | number, ...parts)
/** `[number]` in place of a value's own tag. */
export const implicit = (number: number, bytes: Uint8Array): Buffer => der(0x80 | number, bytes)

/** An identifier such as `2.5.4.3`. */
export function oid(text: string): Buffer {
  const [first, second, ...others] = text.split('.').map(Number) as [number, number, ...number[]]
  const bytes = [first * 40 + second, ...others].flatMap((part) => {
    const groups = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from(bytes))
}

/** A moment: of two digits for the year until 2049, as X.509 demands. */
export function moment(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')}`
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}
