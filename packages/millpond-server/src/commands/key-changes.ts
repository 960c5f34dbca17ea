/** What many commands do to a key, with all who must hear of it: observers, who waits for it, the log. */
import type { Span } from '../engine/span.ts'
import type { Client } from './client.ts'

/** Removes what a key holds. Returns whether there was anything. */
export function removeKey(client: Client, key: Span): boolean {
  const { db, service } = client
  if (!db.delete(key)) return false
  db.changed(key, 'del', 'g')
  if (service.logs.log !== undefined) client.logAs('DEL', key.copy())
  return true
}

/** Lets a key that is there expire at another moment. One that is over removes it at once. */
export function expireKey(client: Client, key: Span, expiresAtMs: number): void {
  const { db, service } = client
  if (expiresAtMs <= service.time.nowMs) {
    removeKey(client, key)
    return
  }
  db.setExpiry(key, expiresAtMs)
  db.changed(key, 'expire', 'g')
  if (service.logs.log !== undefined) client.logAs('PEXPIREAT', key.copy(), String(expiresAtMs))
}

/** Lets a key that is there live for ever. */
export function persistKey(client: Client, key: Span): void {
  const { db, service } = client
  db.setExpiry(key, Infinity)
  db.changed(key, 'persist', 'g')
  if (service.logs.log !== undefined) client.logAs('PERSIST', key.copy())
}
