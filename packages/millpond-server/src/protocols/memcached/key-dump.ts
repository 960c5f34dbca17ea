/** All keys: `lru_crawler metadump` and `stats cachedump`. */
import { Span } from '../../engine/span.ts'
import type { Exchange } from './exchange.ts'

/** memcached sends no more of a class. */
const CACHEDUMP_BYTES_MAX = 2 * 2 ** 20

/** `key=<key> exp=<moment> la=<moment> cas=<cas> fetch=no cls=1 size=<bytes>`, keys as in a URI. */
export function dumpKeys(exchange: Exchange): void {
  const { client, writer } = exchange
  const { db, service } = client
  const nowSeconds = Math.floor(service.time.nowMs / 1000)
  for (const bytes of db.keys()) {
    const key = spanOf(bytes)
    const found = facts(exchange, key)
    if (found === undefined) continue
    const { expiresAtMs } = found
    const expiry = expiresAtMs === Number.POSITIVE_INFINITY ? -1 : Math.floor(expiresAtMs / 1000)
    const lastUse = nowSeconds - Math.floor(Math.max(0, db.idleMs(key)) / 1000)
    const { cas, fetched } = found
    const told = `exp=${expiry} la=${lastUse} cas=${cas} fetch=${fetched ? 'yes' : 'no'} cls=1 size=${db.weightOf(key)}`
    writer.line(`key=${uriText(key.text())} ${told}`)
  }
  writer.line('END')
}

/** `ITEM <key> [<bytes> b; <moment> s]`, up to `limit`; 0: as many as there is room for. */
export function cacheDump(exchange: Exchange, limit: number): void {
  const { client, writer } = exchange
  const from = writer.length
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit
  for (const bytes of client.db.keys()) {
    if (left-- <= 0 || writer.length - from > CACHEDUMP_BYTES_MAX) break
    const key = spanOf(bytes)
    const found = facts(exchange, key)
    if (found === undefined) continue
    const { expiresAtMs, length } = found
    const moment = expiresAtMs === Number.POSITIVE_INFINITY ? 0 : Math.floor(expiresAtMs / 1000)
    writer.line(`ITEM ${key.text()} [${length} b; ${moment} s]`)
  }
  writer.line('END')
}

interface ItemFacts {
  readonly length: number
  readonly expiresAtMs: number
  readonly cas: number
  readonly fetched: boolean
}

/** Of what a token may not read it is not told, either. */
function facts({ client, items }: Exchange, key: Span): ItemFacts | undefined {
  if (!client.sees(key.text())) return undefined
  const view = items.look(client.db, key, false)
  return view && { length: view.length, expiresAtMs: view.expiresAtMs, cas: items.marks.cas, fetched: items.isFetched }
}

function spanOf(bytes: Uint8Array): Span {
  return new Span(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

function uriText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9\-._~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
