/** LZF, the compression of long strings in RDB files. */
import { RdbError } from './rdb-error.ts'

/** Expands compressed bytes to `length` of them. @throws RdbError when they are not what was compressed */
export function expandLzf(packed: Uint8Array, length: number): Buffer {
  const plain = Buffer.allocUnsafe(length)
  let from = 0
  let to = 0
  while (from < packed.length) {
    const control = packed[from++]!
    if (control < 32) {
      const count = control + 1
      if (from + count > packed.length || to + count > length) throw new RdbError('a compressed string is damaged')
      plain.set(packed.subarray(from, from + count), to)
      from += count
      to += count
      continue
    }
    let count = control >>> 5
    if (count === 7) count += packed[from++] ?? 0
    count += 2
    let back = to - (((control & 31) << 8) | (packed[from++] ?? 0)) - 1
    if (back < 0 || from > packed.length || to + count > length) throw new RdbError('a compressed string is damaged')
    // Byte by byte: what is copied may overlap what is made by it.
    for (; count > 0; count--) plain[to++] = plain[back++]!
  }
  if (to !== length) throw new RdbError('a compressed string is damaged')
  return plain
}
