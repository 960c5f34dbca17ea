/** What a race is played on: one tier in memory, two tiers, or two instances that share a tier and a bus. */

import { systemClock } from 'millpond'
import { MemoryBusHub, MemoryStore } from 'millpond/testing'
import { millpond, millpondWith } from '../../peers/millpond.ts'
import type { Peer, PeerCache, PeerOptions } from '../../peers/peer.ts'
import type { Caches } from './scenarios.ts'

export interface Setup {
  readonly name: string
  /** Millpond must not have a single stale read; the others are shown. */
  readonly judged: boolean
  readonly renewAfterMs: number | undefined
  open(options: PeerOptions): Promise<{ caches: Caches; close: () => Promise<unknown> }>
}

/** A cache in memory that reads and writes. */
export function oneTier(peer: Peer): Setup {
  return {
    name: peer.name,
    judged: peer.name === millpond.name,
    renewAfterMs: peer.renewAfterMs,
    async open(options) {
      const cache = await peer.open(options)
      return { caches: { reader: cache, writer: cache }, close: cache.close }
    },
  }
}

/** One instance with a near tier and a shared one. */
export const twoTiers: Setup = {
  name: 'millpond, S5 two tiers',
  judged: true,
  renewAfterMs: millpond.renewAfterMs,
  async open(options) {
    const instance = shared(options)
    const cache = instance()
    return { caches: { reader: cache, writer: cache, newcomer: instance }, close: cache.close }
  },
}

/** The reader and the writer are different instances. */
export const severalInstances: Setup = {
  name: 'millpond, S6 writer is another instance',
  judged: true,
  renewAfterMs: millpond.renewAfterMs,
  async open(options) {
    const instance = shared(options)
    const [reader, writer] = [instance(), instance()]
    return {
      caches: { reader, writer, newcomer: instance },
      close: () => Promise.all([reader.close(), writer.close()]),
    }
  },
}

/** Makes instances of one cache: same store, same bus, a near tier of their own. */
function shared(options: PeerOptions): () => PeerCache {
  const hub = new MemoryBusHub()
  const store = new MemoryStore(systemClock)
  return () => millpondWith('millpond', { store, bus: hub.connect() }).open(options) as PeerCache
}
