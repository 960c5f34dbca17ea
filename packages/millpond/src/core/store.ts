/**
 * The port of a shared tier: a remote place of keys and values, such as Valkey or Memcached, that many processes use.
 *
 * One entry is one stored key, and no operation needs two keys to change together, so that it works in a cluster.
 * A `Mark` says what stood under a key when it was read; a fill is accepted only on the same mark (a fenced fill), so
 * a load that was overtaken by an invalidation can never put its old value back. Marks are compared for equality and
 * are never ordered: no clock is trusted. There is no plain set: a value is put by a tombstone and, once that is
 * acknowledged, a fill on its mark, so that a command that arrives late can void what is newer, but never replace it.
 *
 * Every method may be slow, hang or reject: the cache guards each call with `storeTimeout`, asks for at most
 * `STORE_BATCH_MAX` names at once, and gathers what is asked for in one tick.
 */
export interface Store {
  /** Shown in events and errors. */
  readonly name: string
  /**
   * What stands under each key and the version of each tag, in their order: one command to each server concerned. A tag
   * that has no version, or whose version was evicted, gets a new random one, so what was stored under the lost version
   * is not valid any more.
   */
  read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer>
  /**
   * Stores `record` only if the key still has the mark that was read. Returns whether it was stored.
   *
   * @throws StoreError with `refused` where the store is well and takes only this record not, as when it is too large
   */
  fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean>
  /**
   * Puts a tombstone with a new random mark under each key for `fenceMs`: a load that began before can not fill.
   * A load that lasts longer than the fence is not stored by its process (the cache sees to it). With `held` a write is
   * under way: until the next `invalidate`, or until the fence ends, no load that finds the tombstone fills;
   * the writer itself may. A record that is filled in meanwhile does not shorten the fence: when it ends first, a mark
   * without a record stands there until the fence ends. Returns the tombstones' marks, in the order of `keys`.
   */
  invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]>
  /**
   * Gives each tag a new random version: one command a tag, whatever the number of entries. With `heldMs` a write is
   * under way: the version begins with `!`, under which nothing is filled, and is forgotten after so long.
   */
  bump(tags: readonly string[], heldMs: number | undefined): Promise<void>
  /**
   * Takes or renews the permission of `holder` (a random id) to load `key` for the whole fleet, for `leaseMs`. Returns
   * whether the holder has it. It saves loads and nothing else: a lease that is lost makes nothing stale.
   */
  lease(key: string, holder: string, leaseMs: number): Promise<boolean>
  /** Gives the lease back, if `holder` still has it. */
  release(key: string, holder: string): Promise<void>
  /**
   * Calls `onDoubt` whenever what was acknowledged a moment ago may be lost: the connection broke, another server was
   * promoted. The cache then tells the last seconds' invalidations again before it trusts the store. Returns what stops it.
   */
  watch?(onDoubt: () => void): () => void
  /** Ends connections that the store opened itself. A client that was passed in is left alone. */
  close(): Promise<void>
}

/** How many keys and tags together one call names at most. */
export const STORE_BATCH_MAX = 512

/** What stood under a key when it was read: opaque, compared for equality only. `''` is an absent key. */
export type Mark = string

/** The answer of `read`. */
export interface StoreAnswer {
  readonly entries: readonly StoreRead[]
  readonly versions: readonly string[]
}

/** What stands under a key. A tombstone and an absent key have no record, and differ in their mark. */
export interface StoreRead {
  readonly mark: Mark
  readonly record?: StoreRecord
  /** A tombstone of a write under way: what is loaded now may be old as soon as it is stored. */
  readonly held?: boolean
}

/** An entry as a store keeps it: encoded value, remaining life, tags with the versions they had at the load's start. */
export interface StoreRecord {
  /** The value, encoded by the cache's codec. */
  readonly value: string
  /** How much longer the value is fresh, in milliseconds; 0 when it is stale already; Infinity for `'forever'`. */
  readonly freshMs: number
  /** How much longer it may be kept at all (`staleWhileRevalidate` and `staleIfError` included). At least `freshMs`. */
  readonly keepMs: number
  /** Each tag with its version. */
  readonly tags: readonly (readonly [tag: string, version: string])[]
  /** What the loader gave to `ctx.etag`. */
  readonly etag?: string
}
