/** Patterns of BY and GET: `weight_*`, `object_*->field`, `#`. */
import { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'
import { readHash } from '../hashes/live-hash.ts'

/** What a pattern means for an element: the string under a key, a field of a hash, or itself; `undefined`: there is none. */
export function valueFor(client: Client, pattern: string, element: string): string | undefined {
  if (pattern === '#') return element
  const star = pattern.indexOf('*')
  if (star < 0) return undefined
  const arrow = pattern.indexOf('->', star + 1)
  const field = arrow < 0 ? '' : pattern.slice(arrow + 2)
  const rest = pattern.slice(star + 1, field === '' ? undefined : arrow)
  const key = Span.of(pattern.slice(0, star) + element + rest)
  return field === '' ? stringAt(client, key) : fieldAt(client, key, field)
}

function stringAt({ db }: Client, key: Span): string | undefined {
  const type = db.typeOf(key)
  if (type !== undefined && type !== 'string') return undefined
  const value = db.readString(key)
  return value && Buffer.from(value.copy()).toString('latin1')
}

function fieldAt(client: Client, key: Span, field: string): string | undefined {
  const type = client.db.typeOf(key)
  return type === undefined || type === 'hash' ? readHash(client, key)?.get(field) : undefined
}
