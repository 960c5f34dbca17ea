/**
 * The stale-fill races: a load has read the old row, a writer changes the row and tells the cache, the load ends.
 * Every scenario ends with a read that starts after the writer is done, and so must see the new row.
 */

import { type PeerCache, TAG } from '../../peers/peer.ts'
import { type Trade, trade } from '../../peers/trade.ts'
import { type Held, NEW, settle, type World } from './world.ts'

/** Where a scenario lets time pass: after the load has read, and after the writer has begun to tell the cache. */
export interface Interleaving {
  readonly afterRead: () => Promise<void> | undefined
  readonly afterTelling: (told: Promise<unknown>) => Promise<unknown> | undefined
}

/** The caches of a scenario: one that reads, one whose process writes (often the same), one that comes later. */
export interface Caches {
  readonly reader: PeerCache
  readonly writer: PeerCache
  /** Opens an instance with an empty near tier: it sees what the shared tier has. */
  readonly newcomer?: () => PeerCache
}

export interface Scenario {
  readonly name: string
  /** Whether the cache is opened so that it renews in the background. */
  readonly renew?: boolean
  /** Whether entries carry the tag. */
  readonly tags?: boolean
  /** Whether a cache can take part at all. */
  readonly possible: (cache: PeerCache) => boolean
  /** Before the waiting time of `renew`: fills the cache. */
  readonly prepare?: (caches: Caches) => Promise<unknown>
  /** Plays the race. Returns the reads that had to be new. */
  readonly play: (world: World, caches: Caches, interleaving: Interleaving) => Promise<Trade[]>
}

const KEY = 'row:1'

type Tell = (cache: PeerCache) => Promise<unknown>
const deleteKey: Tell = (cache) => cache.delete(KEY)
const deleteTag: Tell = (cache) => cache.deleteByTag!(TAG)
const setNew: Tell = (cache) => cache.set!(KEY, trade(KEY, NEW))

export const deleteDuringLoad: Scenario = during('S1 delete during a load', deleteKey)
export const setDuringLoad: Scenario = {
  ...during('S3 set during a load', setNew),
  possible: (cache) => cache.set !== undefined,
}
export const tagDuringLoad: Scenario = {
  ...during('S4 tag invalidated during a load', deleteTag),
  tags: true,
  possible: (cache) => cache.deleteByTag !== undefined,
}

export const readerAfterDelete: Scenario = {
  name: 'S2 reader after the delete joins the old load',
  possible: () => true,
  async play(world, { reader, writer }, { afterRead, afterTelling }) {
    const held = world.holdNext()
    const first = begin(reader)
    await held.started()
    await afterRead()
    world.version = NEW
    const told = writer.delete(KEY)
    await told
    const late = reader.get(KEY)
    await afterTelling(told)
    held.release()
    await first
    return [await late]
  },
}

export const deleteDuringRenewal: Scenario = {
  name: 'S8 delete during a background renewal',
  renew: true,
  possible: () => true,
  prepare: ({ reader }) => reader.get(KEY),
  async play(world, caches, interleaving) {
    const held = world.holdNext()
    await caches.reader.get(KEY)
    await held.started()
    return overtake(world, caches, interleaving, held, deleteKey)
  },
}

export const coherence: Scenario = {
  name: 'coherence: delete by another instance, no race',
  possible: () => true,
  async play(world, { reader, writer }) {
    await reader.get(KEY)
    world.version = NEW
    await writer.delete(KEY)
    await settle()
    return [await reader.get(KEY)]
  },
}

/** A load that is overtaken by what `tell` does. */
function during(name: string, tell: Tell): Scenario {
  return {
    name,
    possible: () => true,
    async play(world, caches, interleaving) {
      const held = world.holdNext()
      const first = begin(caches.reader)
      await held.started()
      const values = await overtake(world, caches, interleaving, held, tell)
      await first
      return values
    },
  }
}

/** A load has read the old row: the writer writes and tells, the load ends, and both are done before the last reads. */
async function overtake(
  world: World,
  caches: Caches,
  interleaving: Interleaving,
  held: Held,
  tell: Tell,
): Promise<Trade[]> {
  await interleaving.afterRead()
  world.version = NEW
  const told = tell(caches.writer)
  await interleaving.afterTelling(told)
  held.release()
  await told
  await settle()
  const newcomer = caches.newcomer?.()
  const values = [await caches.reader.get(KEY)]
  if (newcomer) values.push(await newcomer.get(KEY))
  await newcomer?.close()
  return values
}

/** A read whose own outcome is free: it began before the write. Some libraries reject it when its key is deleted. */
async function begin(cache: PeerCache): Promise<void> {
  try {
    await cache.get(KEY)
  } catch {
    // Told apart by nobody: only the reads after the write count.
  }
}
