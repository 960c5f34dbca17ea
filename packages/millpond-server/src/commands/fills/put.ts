/** What commands of this chapter store, and how the log is told: as SET with a moment, whatever the marks and times were. */
import { outOfMemory } from '../../engine/errors.ts'
import type { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'
import { removeKey } from '../key-changes.ts'
import { SERVICE_MODE } from '../modes.ts'

/** Puts a text under a key. @throws ReplyError OOM */
export function put(client: Client, key: Span, text: Buffer, expiresAtMs: number): void {
  const { db } = client
  db.setString(key, text, 0, text.length, expiresAtMs)
  db.changed(key, 'set', '$')
  if (expiresAtMs === Number.POSITIVE_INFINITY) client.logAs('SET', key.copy(), text)
  else client.logAs('SET', key.copy(), text, 'PXAT', String(expiresAtMs))
}

/**
 * Puts under each key the text that `make` gives. Where there is no room the keys are deleted, which voids what they held as well,
 * and the error says that nothing fences them.
 *
 * @throws ReplyError OOM
 */
export function putEach(client: Client, keys: readonly Span[], expiresAtMs: number, make: () => Buffer): void {
  const { service } = client
  const isFull = (service.modes & SERVICE_MODE.BOUNDED) !== 0 && !service.hasRoom()
  for (const key of keys) {
    if (isFull) removeKey(client, key)
    else put(client, key, make(), expiresAtMs)
  }
  if (isFull) throw outOfMemory()
}

/** The text under a key; `undefined`: there is none. @throws ReplyError WRONGTYPE */
export function textUnder({ db }: Client, key: Span): string | undefined {
  const view = db.editString(key)
  return view && Buffer.from(view.copy()).toString('latin1')
}
