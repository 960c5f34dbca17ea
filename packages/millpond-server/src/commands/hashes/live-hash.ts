/** The hash under a key, without the fields whose time is over: those that are still there are removed when somebody looks. */
import type { Span } from '../../engine/span.ts'
import { HASH, type Hash } from '../../engine/values/hash.ts'
import type { Client } from '../client.ts'

/** The hash under a key, for reading. @throws ReplyError WRONGTYPE */
export function readHash(client: Client, key: Span): Hash | undefined {
  return live(client, key, client.db.read(key, HASH))
}

/** The hash under a key that is going to be changed. @throws ReplyError WRONGTYPE */
export function editHash(client: Client, key: Span): Hash | undefined {
  return live(client, key, client.db.edit(key, HASH))
}

/** As `editHash`, and a new one where there is none. @throws ReplyError WRONGTYPE */
export function editOrNewHash(client: Client, key: Span): Hash {
  return live(client, key, client.db.edit(key, HASH)) ?? client.db.editOrNew(key, HASH)
}

function live(client: Client, key: Span, hash: Hash | undefined): Hash | undefined {
  if (hash === undefined || hash.nextExpiryMs > client.service.time.nowMs) return hash
  return client.db.removeExpired(key, hash) ? hash : undefined
}
