/** Wrong passwords, counted by where they come from: the more there were of late, the longer the answer to the next one takes. */

import { ReplyError } from '../engine/errors.ts'

/** A secret that opens nothing. To be answered after `delayMs`, while others are served. */
export class WrongSecretError extends ReplyError {
  readonly delayMs: number

  constructor(message: string, delayMs: number) {
    super(message, 'WRONGPASS')
    this.delayMs = delayMs
  }
}

/** So many wrong ones are answered at once: people mistype. */
const FREE = 3
const FIRST_DELAY_MS = 50
const DELAY_MS_MAX = 5000
/** Wrong ones are forgotten after so long without another. */
const FORGOTTEN_MS = 60_000
/** So many answers of one address may be held back at a time; until one is given, nothing more is tried. */
const HELD_MAX = 16
/** Addresses that are remembered. */
const ADDRESSES_MAX = 10_000

interface Failures {
  count: number
  lastAtMs: number
  /** When the answers that are held back will be given. */
  held: number[]
}

/**
 * A right answer is given at once, always; only wrong ones wait, each on its own connection, while others are served. Who
 * opens many connections in place of waiting gains little: an address has 16 answers held back at most, and while it has,
 * no password of it is looked at. So it has 16 guesses in five seconds, whatever it does. Signed tokens and access keys, which
 * nobody can guess, are looked at even then.
 */
export class Guesses {
  readonly #failures = new Map<string, Failures>()

  /** How many milliseconds no password of this address is looked at; 0: it is now. */
  heldFor(address: string, nowMs: number): number {
    const failures = this.#failures.get(originOf(address))
    if (failures === undefined) return 0
    failures.held = failures.held.filter((untilMs) => untilMs > nowMs)
    return failures.held.length < HELD_MAX ? 0 : Math.min(...failures.held) - nowMs
  }

  /** A wrong one. Returns for how many milliseconds its answer is held back. */
  failed(address: string, nowMs: number): number {
    const origin = originOf(address)
    const known = this.#failures.get(origin)
    const failures = known && nowMs - known.lastAtMs < FORGOTTEN_MS ? known : { count: 0, lastAtMs: 0, held: [] }
    failures.count++
    failures.lastAtMs = nowMs
    const delayMs = delayOf(failures.count)
    if (delayMs > 0) failures.held.push(nowMs + delayMs)
    // At the end of the order, so that the longest unheard of are forgotten first.
    this.#failures.delete(origin)
    this.#failures.set(origin, failures)
    if (this.#failures.size > ADDRESSES_MAX) this.#failures.delete(this.#failures.keys().next().value!)
    return delayMs
  }
}

function delayOf(count: number): number {
  return count <= FREE ? 0 : Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** (count - FREE - 1))
}

/** Who is behind an address 'host:port': of IPv6 the network, which one customer has whole. */
function originOf(address: string): string {
  const [, ipv6] = /^\[(?:::ffff:)?([^\]]*)\]:\d+$/.exec(address) ?? []
  if (ipv6 === undefined) return address.replace(/:\d+$/, '')
  if (ipv6.includes('.')) return ipv6
  const [head = '', tail = ''] = ipv6.split('::')
  const groups = head.split(':')
  const missing = ipv6.includes('::') ? 8 - groups.length - tail.split(':').length : 0
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail.split(':')].slice(0, 4).join(':')
}
