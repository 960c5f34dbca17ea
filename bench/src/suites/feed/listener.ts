/** A process with a cache and a feed, that says when each row's entry was evicted, and how fast changes were read. */

import { createCache } from 'millpond'
import { type PostgresFeed, postgresFeed } from 'millpond/postgres'
import { valkeyBus } from 'millpond/valkey'
import type { Moments } from './writer.ts'

export interface Argument {
  readonly url: string
  /** A slot that is kept, so that what is committed while nobody listens is told later. */
  readonly slot?: string
  /** URL of a Redis over which one process feeds the others. */
  readonly relay?: string
}

export interface Backlog {
  /** From the first event to the last. */
  readonly ms: number
  readonly cpuMs: number
  readonly commits: number
  readonly changes: number
}

export async function serve({ url, slot, relay }: Argument): Promise<{
  evicted(): Promise<Moments>
  toldAt(wish: { readonly commits: number }): Promise<string>
  leave(): Promise<void>
  backlog(wish: { readonly commits: number }): Promise<Backlog>
  close(): Promise<void>
}> {
  let evicted: Record<string, string> = {}
  let commits = 0
  let atMs = { first: 0, last: 0 }
  let cpuAtFirst = 0
  let toldAt = '0'
  const bus = relay === undefined ? undefined : valkeyBus(relay)
  await bus?.ready()
  const open = (): PostgresFeed =>
    postgresFeed({
      connectionString: url,
      tables: ['items'],
      ...(slot !== undefined && { slot: { name: slot } }),
      ...(bus && { relay: { bus } }),
    })
  let feed = open()
  let cache = createCache({ feed, ttl: 'forever' })
  const listen = (): void => {
    feed.subscribe({
      // The cache has subscribed before, so it has been told.
      invalidate(tags) {
        const now = process.hrtime.bigint()
        toldAt = String(now)
        if (commits++ === 0) [atMs.first, cpuAtFirst] = [performance.now(), cpuMs()]
        atMs.last = performance.now()
        for (const tag of tags) if (tag.startsWith('items:')) evicted[tag.slice(6)] ??= toldAt
      },
      settle() {},
      reset() {},
    })
  }
  listen()
  await feed.ready()
  const untilCommits = async (count: number): Promise<void> => {
    const endMs = performance.now() + 60_000
    while (commits < count) {
      if (performance.now() > endMs) throw new Error(`only ${commits} of ${count} commits were told within a minute`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return {
    async evicted() {
      await feed.reached(await feed.now(), 10_000)
      const all = evicted
      evicted = {}
      commits = 0
      return all
    },
    async toldAt(wish) {
      await untilCommits(wish.commits)
      commits = 0
      return toldAt
    },
    async leave() {
      await cache.close()
    },
    async backlog(wish) {
      commits = 0
      atMs = { first: 0, last: 0 }
      feed = open()
      cache = createCache({ feed, ttl: 'forever' })
      listen()
      await untilCommits(wish.commits)
      return {
        ms: atMs.last - atMs.first,
        cpuMs: cpuMs() - cpuAtFirst,
        commits,
        changes: feed.status().changes,
      }
    },
    async close() {
      await cache.close()
      await bus?.close()
    },
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
