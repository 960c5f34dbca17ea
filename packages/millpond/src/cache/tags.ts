/**
 * The tags of a cache and when each was last invalidated, on one sequence of invalidations.
 *
 * An entry remembers the number at which its load began and the tags it carries; it is valid while none of them was
 * invalidated later. So an invalidation is one assignment, whatever the number of entries, and a load that is overtaken
 * by one is found out by the same comparison (a lease, Nishtala et al., NSDI 2013).
 *
 * Namespaces and the tables of a feed are tags too: there is one mechanism. A tag exists while an entry or a load holds
 * it, so tags that nobody uses cost nothing; those invalidated while loads are under way linger until these have ended,
 * because a loader may name its tags only when it is done.
 */
export class TagRegistry {
  /** The number of the last invalidation. A load that begins now begins after it. */
  sequence = 1
  /** The number of the last `invalidateAll`. */
  allInvalidatedAt = 0
  readonly #tags = new Map<string, Tag>()
  readonly #lingering = new Set<Tag>()
  #loads = 0
  /** Loads that began at or before this number may have missed an invalidation of a tag they had not named yet. */
  #forgottenUntil = 0

  /** Takes hold of tags for an entry or a load. Each hold needs one `release`. */
  hold(names: readonly string[]): Tag[] {
    return names.map((name) => {
      const tag = this.#tag(name)
      tag.holders++
      return tag
    })
  }

  release(tags: readonly Tag[]): void {
    for (const tag of tags) {
      tag.holders--
      this.#dropUnused(tag)
    }
  }

  /** Entries that carry the tag are no longer valid. */
  invalidate(name: string): void {
    const tag = this.#noted(name)
    this.sequence++
    if (tag === undefined) return
    tag.invalidatedAt = tag.changedAt = this.sequence
    this.#dropUnused(tag)
  }

  /** Entries that carry the tag are stale. */
  expire(name: string): void {
    const tag = this.#noted(name)
    this.sequence++
    if (tag === undefined) return
    tag.changedAt = this.sequence
    this.#dropUnused(tag)
  }

  /** Like `invalidate`, for a name that loads take hold of when they begin: nobody can name it late. */
  invalidateHeld(name: string): void {
    const tag = this.#tags.get(name)
    this.sequence++
    if (tag !== undefined) tag.invalidatedAt = tag.changedAt = this.sequence
  }

  /** Nothing that began before counts any more, whatever its tags. */
  invalidateAll(): void {
    this.allInvalidatedAt = ++this.sequence
  }

  /** A commit that touches the tag was announced, and may not be visible yet: nothing is stored under it for now. */
  unsettle(name: string): void {
    const tag = this.#tag(name)
    tag.unsettled++
    tag.invalidatedAt = tag.changedAt = ++this.sequence
  }

  /** The commit is visible: a load that begins now sees it. Those that began before do not count. */
  settle(name: string): void {
    const tag = this.#tags.get(name)
    if (tag === undefined || tag.unsettled === 0) return
    tag.unsettled--
    tag.invalidatedAt = tag.changedAt = ++this.sequence
    this.#dropUnused(tag)
  }

  /** The feed began anew: what it announced before will not be settled by it any more. */
  settleAll(): void {
    this.sequence++
    for (const tag of this.#tags.values()) {
      if (tag.unsettled === 0) continue
      tag.unsettled = 0
      tag.invalidatedAt = tag.changedAt = this.sequence
      this.#dropUnused(tag)
    }
  }

  /** A load begins: invalidations are remembered for it until `endLoad`. Returns its place in the sequence. */
  beginLoad(): number {
    this.#loads++
    return this.sequence
  }

  endLoad(): void {
    if (--this.#loads > 0) return
    for (const tag of this.#lingering) this.#forget(tag)
    this.#lingering.clear()
  }

  /** Whether tags that a load named only at its end can still be judged, for a load that began at `began`. */
  remembers(began: number): boolean {
    return began > this.#forgottenUntil
  }

  /** Tags in use, for tests and inspection. */
  get size(): number {
    return this.#tags.size
  }

  #tag(name: string): Tag {
    let tag = this.#tags.get(name)
    if (tag === undefined) this.#tags.set(name, (tag = new Tag(name)))
    return tag
  }

  /** The tag if anyone may ask for it: it is held, or a load is under way that may name it later. */
  #noted(name: string): Tag | undefined {
    return this.#loads > 0 ? this.#tag(name) : this.#tags.get(name)
  }

  #dropUnused(tag: Tag): void {
    if (tag.holders > 0 || tag.unsettled > 0) return
    // Only what was invalidated has something to tell, and nobody names a key's own tag late.
    if (this.#loads === 0 || tag.changedAt === 0 || tag.name.startsWith('\0\0')) {
      this.#forget(tag)
      return
    }
    this.#lingering.add(tag)
    if (this.#lingering.size <= LINGERING_MAX) return
    this.#forgottenUntil = this.sequence
    for (const old of this.#lingering) this.#forget(old)
    this.#lingering.clear()
  }

  #forget(tag: Tag): void {
    if (tag.holders === 0 && tag.unsettled === 0) this.#tags.delete(tag.name)
  }
}

/** Bounds what is remembered for loads under way; past it, those of them that name tags late are not kept. */
const LINGERING_MAX = 10_000

/** One tag: where in the sequence it was last invalidated, and who holds it. */
export class Tag {
  readonly name: string
  invalidatedAt = 0
  /** The later of that and of when entries under it were made stale. */
  changedAt = 0
  /** Commits announced by a feed and not yet known to be visible. */
  unsettled = 0
  holders = 0

  constructor(name: string) {
    this.name = name
  }
}

/** Whether none of the tags was invalidated since `began`. */
export function validSince(tags: readonly Tag[], began: number): boolean {
  for (let at = 0; at < tags.length; at++) if (tags[at]!.invalidatedAt > began) return false
  return true
}

/** Whether one of the tags was invalidated or made stale since `began`. */
export function changedSince(tags: readonly Tag[], began: number): boolean {
  for (let at = 0; at < tags.length; at++) if (tags[at]!.changedAt > began) return true
  return false
}

/** Whether a commit that touches one of the tags may still be invisible. */
export function unsettled(tags: readonly Tag[]): boolean {
  return tags.some((tag) => tag.unsettled > 0)
}
