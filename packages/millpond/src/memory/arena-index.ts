/**
 * An open-addressing index in words of an arena: pairs of a key's hash and the ref of its item, 0 where empty. Linear
 * probing, and a delete moves followers back, so that there are no tombstones to clean up.
 */

/** Puts a pair in. The index must have an empty place, and the pair must not be in it. */
export function indexInsert(
  words: Int32Array,
  base: number,
  mask: number,
  shift: number,
  hash: number,
  ref: number,
): void {
  let place = (hash >>> shift) & mask
  while (words[base + place * 2 + 1] !== 0) place = (place + 1) & mask
  words[base + place * 2] = hash
  words[base + place * 2 + 1] = ref
}

/** The word that holds the ref of a pair, 0 when it is not there. */
export function indexFind(
  words: Int32Array,
  base: number,
  mask: number,
  shift: number,
  hash: number,
  ref: number,
): number {
  for (let place = (hash >>> shift) & mask; ; place = (place + 1) & mask) {
    const found = words[base + place * 2 + 1]
    if (found === ref) return base + place * 2 + 1
    if (found === 0) return 0
  }
}

/** Takes a pair out: those that were pushed past its place move back. */
export function indexRemove(
  words: Int32Array,
  base: number,
  mask: number,
  shift: number,
  hash: number,
  ref: number,
): void {
  const word = indexFind(words, base, mask, shift, hash, ref)
  if (word === 0) return
  let hole = (word - 1 - base) >> 1
  for (let place = (hole + 1) & mask; words[base + place * 2 + 1] !== 0; place = (place + 1) & mask) {
    const wanted = (words[base + place * 2]! >>> shift) & mask
    if (((place - wanted) & mask) < ((place - hole) & mask)) continue
    words[base + hole * 2] = words[base + place * 2]!
    words[base + hole * 2 + 1] = words[base + place * 2 + 1]!
    hole = place
  }
  words[base + hole * 2 + 1] = 0
}
