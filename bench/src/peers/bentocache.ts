/** bentocache with its memory driver, as it comes (values are serialised) and with `serialize: false`. */

import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { type Peer, TAG } from './peer.ts'

const RENEW_AFTER_MS = 20

export const bentocache: Peer = peer('bentocache', true)
export const bentocacheByReference: Peer = peer('bentocache, serialize: false', false)

function peer(name: string, serialize: boolean): Peer {
  return {
    name,
    renewAfterMs: RENEW_AFTER_MS,
    open({ load, ttlMs, entries, renew, tags }) {
      const bento = new BentoCache({
        default: 'trades',
        ttl: renew ? RENEW_AFTER_MS : ttlMs,
        ...(renew ? { grace: '6h' } : {}),
        stores: { trades: bentostore().useL1Layer(memoryDriver({ maxItems: entries, serialize })) },
      })
      const tagged = tags ? { tags: [TAG] } : {}
      return {
        get: tags
          ? (key) => bento.getOrSet({ key, factory: () => load(key), ...tagged })
          : (key) => bento.getOrSet({ key, factory: () => load(key) }),
        set: (key, value) => bento.set({ key, value, ...tagged }),
        delete: (key) => bento.delete({ key }),
        deleteByTag: (tag) => bento.deleteByTag({ tags: [tag] }),
        close: () => bento.disconnectAll(),
      }
    },
  }
}
