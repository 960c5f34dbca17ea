/** How memcached's protocol is spoken, where that is not the same for all. */

export interface MemcachedOptions {
  /** Whether `flush_all` is refused. Default false. */
  readonly refusesFlush?: boolean
  /** Which protocol connections speak. Default 'auto': their first byte says it. */
  readonly speaks?: 'auto' | 'text' | 'binary'
  /** Whether `stats cachedump` and `lru_crawler metadump` tell keys. Default true. */
  readonly dumps?: boolean
  /** Ends the server when a client says `shutdown`. Default: that is refused. */
  readonly close?: (graceful: boolean) => void
  /** Moves the clock: `debugtime`, for tests. Default: there is no such command. */
  readonly moveTime?: (seconds: number) => void
  /** What is put in place of what `stats` and `stats settings` tell. */
  readonly stats?: Readonly<Record<string, string | number>>
  readonly settings?: Readonly<Record<string, string | number>>
}
