/**
 * The contract between a table and what decides who leaves it. A policy knows only integers: the numbers of slots,
 * the hashes of their keys and their weights. It never sees a key or a value, so one policy serves a table of live
 * objects on the heap and a table of bytes that several threads share.
 *
 * A table owns slots `0 … slots - 1` and tells the policy what happens to them; when it needs room it asks who goes:
 *
 * ```
 * get:  policy.hit(slot)
 * set:  while (!fits) free(policy.evict(hash))   // room first: a table is never above its bound
 *       policy.insert(slot, hash, weight)
 * ```
 */
export interface Policy {
  /**
   * A free slot is now in use. `hash` should be well mixed in all 32 bits; `weight` is 1 in a policy without weights;
   * `expires` says whether the entry has an expiry, for policies that let only such go.
   */
  insert(slot: number, hash: number, weight: number, expires?: boolean): void
  /** The slot was used. */
  hit(slot: number): void
  /** Reads a word of what is known of a slot, so that the processor has it at hand when the slot is hit. May be left out. */
  touch?(slot: number): number
  /** The slot weighs something else from now on. Only for policies that were made with weights. */
  reweigh(slot: number, weight: number): void
  /** The slot has got an expiry, or has none any more. Only policies that care have this. */
  expires?(slot: number, expires: boolean): void
  /** The slot was freed for another reason than space (deleted, expired): nothing is remembered of it. */
  remove(slot: number): void
  /**
   * Chooses the slot that leaves so that a newcomer with this hash and weight can come, frees it and remembers what is
   * worth remembering of it. Call it before `insert`, as often as room is needed. -1 when no slot is in use, or none that
   * the policy would let go.
   */
  evict(hash: number, weight: number): number
  /** Weight of all slots in use; their number in a policy without weights. */
  readonly weight: number
  /** What a slot in use weighs. */
  weightOf(slot: number): number
  /** The hash that a slot came with; of a slot that was evicted too, until it is used again. */
  hashOf(slot: number): number
  /** The slot after this one, from hot to cold; of -1, the hottest. -1 after the coldest. Roughly: it is not sorted. */
  colder(slot: number): number
  /** The slot before this one, from cold to hot; of -1, the coldest: the next to leave, as a rule. -1 after the hottest. */
  hotter(slot: number): number
  /** Frees all slots. */
  clear(): void
  /** Takes over the state of a policy of the same kind with fewer slots, for a table that has grown. Call it first. */
  adopt(smaller: Policy): void
}

/** A kind of policy: what `memory: { policy }` takes. `tinyLfu` (default), `s3Fifo`, `sieve`, `lru` of `millpond/memory`. */
export interface PolicyFactory {
  /** Shown in reports. */
  readonly name: string
  /** It keeps some entries, or all, whatever needs room. Then nothing else removes them for space either. */
  readonly sparing?: boolean
  /** Bytes of memory that a policy of this shape lives in: a multiple of 8. */
  bytes(shape: PolicyShape): number
  /**
   * A policy over the given memory from `byteOffset`, a multiple of 8. ALL its mutable state lies there, counters too. Memory
   * of zeros is an empty policy; memory in use is continued. So each thread makes a policy object of its own over the
   * same shared bytes, and the threads agree as long as only one of them is inside a call at a time.
   */
  create(shape: PolicyShape, memory: ArrayBufferLike, byteOffset: number): Policy
}

/** What a policy has to manage. */
export interface PolicyShape {
  /** How many slots the table has. A table that is bounded by `maxEntries` gives that; one bounded by weight gives what it has room for now. */
  readonly slots: number
  /** Whether slots differ in weight. Costs 4 bytes a slot. Weights are whole numbers from 1 to 2^31 - 1. */
  readonly weighted: boolean
  /** The table is cut into so many parts like this one, with a policy each. Default 1. */
  readonly parts?: number
  /** What the table knows of its entries, for policies that compare them. A heap-table tells nothing. */
  readonly entries?: PolicyEntries
}

/** What a policy may ask of the entry in a slot. */
export interface PolicyEntries {
  /** Infinity: never. */
  expiresAtMs(slot: number): number
  /** About how often it was used of late: 0 to 255, growing ever slower. */
  frequency(slot: number): number
}

/** Why an entry left a table. `evict`: for space. `expire`: for age. `delete`: by the user. `replace`: a new value. `invalidate`: no longer valid. */
export type RemovalReason = 'evict' | 'expire' | 'delete' | 'replace' | 'invalidate'
