/** Who takes part in `get-or-set`: each peer, and Millpond in the ways that it can be called. */

import type { Cache, CacheOptions } from 'millpond'
import { peerNamed } from '../../peers/index.ts'
import { openInMemoryOnly } from '../../peers/layered-loader.ts'
import { millpond, openMillpond } from '../../peers/millpond.ts'
import { type PeerOptions, TAG } from '../../peers/peer.ts'
import type { Trade } from '../../peers/trade.ts'

/** A cache to hit. `warm` fills it; `get` is what is measured. */
export type Subject = { readonly warm: (key: string) => Promise<unknown>; readonly close: () => Promise<unknown> } & (
  | { readonly kind: 'async'; readonly get: (key: string) => Promise<Trade> }
  | { readonly kind: 'sync'; readonly get: (key: string) => Trade | undefined }
)

type Open = (options: PeerOptions) => Subject | Promise<Subject>

/** Millpond's variants. The first line of each says what differs from the plain `millpond`. */
const variants: Readonly<Record<string, Open>> = {
  'millpond, options kept': (options) => {
    const { load, ttlMs } = options
    const constant = { ttl: ttlMs, tags: [TAG] }
    return reading(openMillpond(options), (cache) => (key) => cache.getOrSet(key, () => load(key), constant))
  },
  'millpond, a tag for each key': (options) => {
    const { load, ttlMs } = options
    return reading(
      openMillpond(options),
      (cache) => (key) => cache.getOrSet(key, () => load(key), { ttl: ttlMs, tags: [TAG, `row:${key}`] }),
    )
  },
  'millpond, no options': (options) => {
    const { load } = options
    return reading(openMillpond(options), (cache) => (key) => cache.getOrSet(key, () => load(key)))
  },
  'millpond, in a namespace': (options) => plain(options, {}, 'floor'),
  "millpond, copy: 'reference'": (options) => plain(options, { copy: 'reference' }),
  "millpond, copy: 'clone'": (options) => plain(options, { copy: 'clone' }),
  "millpond, copy: 'serialize'": (options) => plain(options, { copy: 'serialize' }),
  'millpond, getSync': (options) => {
    const warmed = plain(options, {})
    const { cache } = warmed
    return { kind: 'sync', warm: warmed.get, get: (key) => cache.getSync<Trade>(key), close: warmed.close }
  },
  'layered-loader, getInMemoryOnly': (options) => {
    const { warm, getSync } = openInMemoryOnly(options)
    return { kind: 'sync', warm, get: (key) => getSync(key) ?? undefined, close: async () => {} }
  },
}

/** Opens a variant of Millpond, Millpond itself or a peer. */
export async function open(name: string, options: PeerOptions): Promise<Subject> {
  const variant = variants[name]
  if (variant) return variant(options)
  const cache = await (name === millpond.name ? millpond : peerNamed(name)).open(options)
  return { kind: 'async', warm: cache.get, get: cache.get, close: cache.close }
}

function plain(options: PeerOptions, more: CacheOptions, namespace?: string): Reading {
  const { load, ttlMs } = options
  const whole = openMillpond(options, more)
  return reading(namespace === undefined ? whole : whole.namespace(namespace), (cache) => (key) => {
    return cache.getOrSet(key, () => load(key), { ttl: ttlMs, tags: [TAG] })
  })
}

type Reading = Extract<Subject, { kind: 'async' }> & { readonly cache: Cache }

function reading(cache: Cache, reader: (cache: Cache) => (key: string) => Promise<Trade>): Reading {
  const get = reader(cache)
  return { kind: 'async', cache, warm: get, get, close: () => cache.close() }
}
