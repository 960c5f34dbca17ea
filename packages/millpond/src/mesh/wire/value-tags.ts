/**
 * The first byte of each value. Small whole numbers, short texts, and arrays and objects of few parts have their
 * number or count in the byte itself.
 */
export const ValueTag = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  /** Varint. */
  positive: 0x04,
  /** Varint of -1 - n. */
  negative: 0x05,
  /** 8 bytes, little-endian: all other numbers, NaN, infinities and -0 too. */
  double: 0x06,
  /** Varint of the length, then the magnitude, the lowest byte first. */
  positiveBigInt: 0x07,
  negativeBigInt: 0x08,
  /** Varint of the length in bytes, then one byte a character, below 256. */
  latin1: 0x09,
  utf8: 0x0a,
  /** Two bytes a character: only for texts that no UTF-8 can hold. */
  utf16: 0x0b,
  /** Varint of the length, the bytes. */
  bytes: 0x0c,
  buffer: 0x0d,
  /** A double: milliseconds since 1970. */
  date: 0x0e,
  /** Varint of the count, then keys and values in turn. */
  map: 0x0f,
  set: 0x10,
  array: 0x11,
  /** Varint of the count, then names (texts) and values in turn. */
  object: 0x12,
  /** To `smallArray - 1`: the texts of up to 63 characters below 256. */
  shortText: 0x40,
  /** 0 to 63. */
  smallNumber: 0x80,
  smallArray: 0xc0,
  /** Up to 31 fields. */
  smallObject: 0xe0,
} as const

/** Deeper values are refused on both sides, so that none overflows the stack. */
export const DEPTH_MAX = 100
