/** A keyed hash of names, the same whether they are texts or bytes. */

/** Secret multipliers, so that nobody can choose names that collide. One each process: hashes are never kept. */
const [START, FIRST, SECOND] = secrets()

function secrets(): readonly [number, number, number] {
  const [start, first, second] = crypto.getRandomValues(new Int32Array(3))
  return [start!, first! | 1, second! | 1]
}

/** Of a byte string. */
export function hashText(text: string): number {
  const last = text.length - 1
  let hash = START ^ text.length
  let at = 0
  for (; at < last; at += 2) {
    hash = Math.imul(hash ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), FIRST)
    hash = Math.imul(hash ^ (hash >>> 15), SECOND)
  }
  return at === last ? mixed(step(hash, text.charCodeAt(at))) : mixed(hash)
}

/** Of bytes where they lie. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  const last = end - 1
  let hash = START ^ (end - start)
  let at = start
  for (; at < last; at += 2) {
    hash = Math.imul(hash ^ (bytes[at]! | (bytes[at + 1]! << 16)), FIRST)
    hash = Math.imul(hash ^ (hash >>> 15), SECOND)
  }
  return at === last ? mixed(step(hash, bytes[at]!)) : mixed(hash)
}

function step(hash: number, code: number): number {
  const next = Math.imul(hash ^ code, FIRST)
  return Math.imul(next ^ (next >>> 15), SECOND)
}

function mixed(hash: number): number {
  const next = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return next ^ (next >>> 15)
}
