/** Versions of tags, by tag. A version that begins with `!` belongs to a write under way. */
export type Versions = ReadonlyMap<string, string>

export const NO_VERSIONS: Versions = new Map()

/** The tag that every stored entry carries, so that `clear` is one command. */
export const EVERYTHING = ''

/** Whether a version belongs to a write under way: what is loaded under it is not kept. */
export function isHeld(version: string): boolean {
  return version.startsWith('!')
}

export function anyHeld(versions: Versions): boolean {
  for (const version of versions.values()) if (isHeld(version)) return true
  return false
}

/**
 * Versions of tags as the store had them once. For fills an old one does no harm: what is filled under it is not found. For
 * reads they are good only where a bus tells of changes.
 */
export class KnownVersions {
  readonly #known = new Map<string, { readonly version: string; readonly askedAtMs: number; seenAtMs: number }>()
  /** Counts what made known versions wrong: an answer that was on its way then is not remembered. */
  #changes = 0

  get changes(): number {
    return this.#changes
  }

  /** Those that are known since before `beforeMs`. */
  before(tags: readonly string[], beforeMs: number): Versions {
    const found = new Map<string, string>()
    for (const tag of tags) {
      const known = this.#known.get(tag)
      if (known !== undefined && known.askedAtMs < beforeMs) found.set(tag, known.version)
    }
    return found
  }

  /**
   * Those that were seen a moment ago. A bus tells of what caches change, and not of what a server lost or evicted: without
   * asking now and then, the caches that remember and those that begin would have no entry in common any more.
   */
  seenLately(tags: readonly string[], nowMs: number): Versions {
    const found = new Map<string, string>()
    for (const tag of tags) {
      const known = this.#known.get(tag)
      if (known !== undefined && nowMs - known.seenAtMs < SEEN_MS) found.set(tag, known.version)
    }
    return found
  }

  /** Keeps the first time of asking as long as the version is the same. */
  remember(tag: string, version: string, askedAtMs: number): void {
    if (isHeld(version)) return
    const known = this.#known.get(tag)
    if (known?.version === version) {
      known.seenAtMs = askedAtMs
      return
    }
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(tag, { version, askedAtMs, seenAtMs: askedAtMs })
  }

  /** What is known of these tags, or of all, may be wrong. */
  forget(tags?: readonly string[]): void {
    if (tags?.length === 0) return
    this.#changes++
    if (tags === undefined) this.#known.clear()
    else for (const tag of tags) this.#known.delete(tag)
  }
}

/** How long a version is taken for the one that the store has, while no bus tells otherwise. */
const SEEN_MS = 30_000
/** Past it all are forgotten and asked for again. */
const KNOWN_MAX = 10_000
