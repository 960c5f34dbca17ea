/** Puts a word of a command under a key, with a moment at which it expires: what SET and its old relatives have in common. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Client } from '../client.ts'
import { removeKey } from '../key-changes.ts'

/** A moment that is over means that the key is gone at once. */
export function putExpiring(client: Client, args: Arguments, valueAt: number, expiresAtMs: number): void {
  const { db, service } = client
  const key = args.span(1)
  const over = expiresAtMs <= service.time.nowMs
  db.setString(key, args.bytes, args.start(valueAt), args.end(valueAt), over ? Infinity : expiresAtMs)
  db.changed(key, 'set', '$')
  db.changed(key, 'expire', 'g')
  if (over) removeKey(client, key)
  else client.logAs('SET', key.copy(), args.span(valueAt).copy(), 'PXAT', String(expiresAtMs))
}
