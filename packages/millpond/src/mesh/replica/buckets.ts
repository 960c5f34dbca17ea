import { StringHash } from '../../core/hash.ts'
import type { Entry } from './entry.ts'

/** How many buckets every peer has. */
export const BUCKETS = 4096

/** The same on every peer: it only spreads keys over buckets. */
const spread = new StringHash(0x6d696c6c)

/** The hash of a map's name or of a key, the same on every peer. */
export function sharedHash(text: string): number {
  return spread.of(text)
}

/**
 * The entries of a map in buckets of keys, and a running hash of each bucket: equal sets of (key, version, origin, deleted)
 * have equal hashes, in whatever order they came. Two words of 32 bits a bucket; a change costs two exclusive ors here and two
 * in the sum of all maps.
 *
 * Each bucket is a list that runs through its entries, so what a bucket holds is found without a search.
 */
export class Buckets {
  readonly hashes: Uint32Array = new Uint32Array(BUCKETS * 2)
  readonly #heads: (Entry | undefined)[] = new Array(BUCKETS).fill(undefined)
  readonly #sum: Uint32Array

  /** @param sum the hashes of all maps together, which this one's changes are entered in too */
  constructor(sum: Uint32Array) {
    this.#sum = sum
  }

  /** Puts a new entry into its bucket. It does not count yet. */
  link(entry: Entry): void {
    const bucket = bucketOf(entry)
    const head = this.#heads[bucket]
    entry.next = head
    if (head) head.previous = entry
    this.#heads[bucket] = entry
  }

  /** Takes an entry out that nothing is known of any more. */
  unlink(entry: Entry): void {
    const { next, previous } = entry
    if (previous) previous.next = next
    else this.#heads[bucketOf(entry)] = next
    if (next) next.previous = previous
    entry.next = entry.previous = undefined
  }

  /** Adds the entry to the hash of its bucket, or takes it out: call it before and after each change of what counts. */
  toggle(entry: Entry): void {
    const at = bucketOf(entry) * 2
    const { version, origin } = entry
    let first = Math.imul(entry.hash ^ (version | 0), 0x9e3779b1)
    first = Math.imul(first ^ (first >>> 15) ^ ((version / 2 ** 32) | 0), 0x85ebca6b)
    first = Math.imul(first ^ (first >>> 13) ^ (origin | 0), 0xc2b2ae35)
    first = Math.imul(first ^ (first >>> 16) ^ ((origin / 2 ** 32) | 0), 0x2c1b3c6d)
    if (entry.state === 'deleted') first = ~first
    first ^= first >>> 12
    let second = Math.imul(first ^ entry.hash, 0x297a2d39)
    second = Math.imul(second ^ (second >>> 15) ^ (version | 0), 0x1b873593)
    second ^= second >>> 14
    this.hashes[at]! ^= first
    this.hashes[at + 1]! ^= second
    this.#sum[at]! ^= first
    this.#sum[at + 1]! ^= second
  }

  /** The entries of a bucket, as they are now. */
  entries(bucket: number): Entry[] {
    const entries: Entry[] = []
    for (let entry = this.#heads[bucket]; entry; entry = entry.next) entries.push(entry)
    return entries
  }

  clear(): void {
    for (let at = 0; at < this.hashes.length; at++) this.#sum[at]! ^= this.hashes[at]!
    this.hashes.fill(0)
    this.#heads.fill(undefined)
  }
}

function bucketOf(entry: Entry): number {
  return entry.hash & (BUCKETS - 1)
}
