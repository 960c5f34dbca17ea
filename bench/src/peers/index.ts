/** Everybody who takes part. */

import { asyncCacheDedupe } from './async-cache-dedupe.ts'
import { bentocache, bentocacheByReference } from './bentocache.ts'
import { cacheManager } from './cache-manager.ts'
import { cacheable } from './cacheable.ts'
import { handWritten } from './hand-written.ts'
import { layeredLoader } from './layered-loader.ts'
import { lruCacheFetch } from './lru-cache.ts'
import type { Peer } from './peer.ts'

/** The other libraries, and the code that people write by hand. Millpond itself is `millpond.ts`. */
export const peers: readonly Peer[] = [
  layeredLoader,
  lruCacheFetch,
  handWritten,
  cacheManager,
  asyncCacheDedupe,
  bentocacheByReference,
  bentocache,
  cacheable,
]

/** The one of that name, or an error that lists the names. */
export function peerNamed(name: string): Peer {
  const peer = peers.find((candidate) => candidate.name === name)
  if (peer) return peer
  throw new RangeError(`there is no peer ${name}; there are ${peers.map((known) => known.name).join(', ')}`)
}
