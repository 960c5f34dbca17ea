/**
 * Which of several servers has a name: the one that scores highest for it (rendezvous hashing, by Thaler and Ravishankar,
 * 1998). Every server scores by itself, so one that is added takes its share, 1/n of the names, evenly from all others,
 * and no other name moves; the order in which servers are listed does not matter.
 *
 * The scores must never change: processes of different releases have to look for a name in the same place. A test keeps
 * them.
 */
export class Ring {
  readonly #hashes: readonly number[]

  /** @param names of the servers, no two alike */
  constructor(names: readonly string[]) {
    this.#hashes = names.map(hashOf)
  }

  /** The place of the server in the list. */
  placeOf(name: string): number {
    const hash = hashOf(name)
    let [best, place] = [-1, 0]
    for (const [at, server] of this.#hashes.entries()) {
      const score = mixed(hash ^ server)
      if (score > best) [best, place] = [score, at]
    }
    return place
  }
}

/** FNV-1a over both bytes of each UTF-16 unit, mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 255), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return mixed(hash)
}

/** The finalizer of MurmurHash3: each bit of the result depends on each bit of the number. */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
