/** The tokens of a server: made, verified, listed and revoked. */
import { randomBytes } from 'node:crypto'
import { ReplyError } from '../engine/errors.ts'
import { ageText } from './ages.ts'
import type { KeptFile } from './kept-file.ts'
import { checkName } from './names.ts'
import { parseScopes, scopeText } from './scope.ts'
import type { SigningKeys } from './signing-keys.ts'
import { badToken, type Grant, readToken, sign } from './token.ts'

/** What a token is to be. */
export interface TokenRequest {
  /** What it is called in lists. Default: its id. */
  readonly name?: string
  /** The cache that it is for; '*': each of them. Default '*' for an admin's, else 'default'. */
  readonly cache?: string
  /** See scope.ts. Default: all keys and topics, to read and to write. */
  readonly scopes?: readonly string[]
  /** Whether it may do everything, everywhere. Default false. */
  readonly admin?: boolean
  /** How long it is good for, in milliseconds. Default Infinity: until it is revoked. */
  readonly ttlMs?: number
  /** Not listed, and good for 25 h at most: for one user, one session. Default false. */
  readonly disposable?: boolean
  /** Operations a second that all its connections have together. Default Infinity: no bound. */
  readonly operations?: number
  /** Where the server is: told in the token. Default ''. */
  readonly endpoint?: string
}

/** A token as lists tell it: everything but the token. */
export interface TokenRecord extends Grant {
  /** Within a minute; 0: never. */
  lastUsedAtMs: number
  /** 0: it is not. */
  revokedAtMs: number
}

/** As it is written to disk: JSON has no Infinity. */
type KeptRecord = Omit<TokenRecord, 'expiresAtMs' | 'operations'> & {
  readonly expiresAtMs: number | null
  readonly operations: number | null
}

export interface KeptTokens {
  readonly tokens: readonly KeptRecord[]
}

const DISPOSABLE_MS_MAX = 25 * 3_600_000
const TOKENS_MAX = 10_000
/** How long a revoked token that would never expire is told as revoked; after that it is not known, which opens as little. */
const REVOKED_MS = 90 * 86_400_000
const USE_KEPT_EVERY_MS = 60_000

/**
 * A token that is not disposable opens something only while it is in the list: a list that was lost, or put back from an old
 * copy, never brings a revoked one back to life. Of disposable ones the list has those that were revoked, until they expire.
 */
export class Tokens {
  /** Told when a token opens nothing any more, so that its connections end. */
  onRevoked: (grant: Grant) => void = () => {}
  readonly keys: SigningKeys
  readonly #file: KeptFile<KeptTokens>
  #records: Map<string, TokenRecord>
  #keptAtMs = 0

  constructor(keys: SigningKeys, file: KeptFile<KeptTokens>) {
    this.keys = keys
    this.#file = file
    this.#records = new Map((file.read()?.tokens ?? []).map((kept) => [kept.id, unkept(kept)]))
  }

  /** Makes a token. The secret is told this once. @throws ReplyError what cannot be, or cannot be kept */
  create(request: TokenRequest, nowMs: number): { readonly secret: string; readonly grant: Grant } {
    const grant = { ...grantFor(request, nowMs), keyId: this.keys.current.id }
    this.#prune(nowMs)
    if (!grant.disposable) {
      if (this.#records.size >= TOKENS_MAX) throw invalid(`there are ${TOKENS_MAX} tokens; revoke some`)
      if (this.#named(grant.name)) throw new ReplyError(`there is a token '${grant.name}' already`, 'EXISTS')
      this.#keep([{ ...grant, lastUsedAtMs: 0, revokedAtMs: 0 }])
    }
    return { secret: sign(grant, this.keys.current), grant }
  }

  /** What a token says, that opens a cache now. @throws ReplyError WRONGPASS: why it does not */
  verify(secret: string, cache: string | undefined, nowMs: number): Grant {
    const grant = readToken(secret, this.keys)
    const record = this.#records.get(grant.id)
    if (record?.revokedAtMs) throw badToken(`revoked ${ageText(nowMs - record.revokedAtMs)} ago`)
    if (nowMs >= grant.expiresAtMs) throw badToken(`expired ${ageText(nowMs - grant.expiresAtMs)} ago`)
    if (record === undefined && !grant.disposable) throw badToken('it is not in the list of tokens')
    if (cache !== undefined && grant.cache !== '*' && grant.cache !== cache) throw badToken('it is for another cache')
    if (record) this.#used(record, nowMs)
    return grant
  }

  /** In the order in which they were made; without those that are over. */
  list(nowMs: number): readonly TokenRecord[] {
    this.#prune(nowMs)
    return [...this.#records.values()].filter(({ revokedAtMs }) => revokedAtMs === 0)
  }

  /**
   * Ends a token, by its name or id: from now on it opens nothing, and what it has opened is closed.
   *
   * @throws ReplyError NOTFOUND; MISCONF: that cannot be kept, and the token is good as before
   */
  revoke(nameOrId: string, nowMs: number): Grant {
    const record = this.#records.get(nameOrId) ?? this.#named(nameOrId) ?? disposable(nameOrId, nowMs)
    if (record === undefined || record.revokedAtMs !== 0) {
      throw new ReplyError(`there is no token '${nameOrId.slice(0, 64)}'`, 'NOTFOUND')
    }
    this.#revoke([record], nowMs)
    return record
  }

  /** Ends the tokens of a cache that is no more. @throws ReplyError MISCONF: that cannot be kept, and nothing has changed */
  forget(cache: string, nowMs: number): void {
    const records = this.list(nowMs).filter((record) => record.cache === cache)
    if (records.length > 0) this.#revoke(records, nowMs)
  }

  /** Writes when tokens were used last. Where that cannot be written nobody is kept out: it is written another time. */
  keepUse(): void {
    try {
      this.#keep([])
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
    }
  }

  #revoke(records: readonly TokenRecord[], nowMs: number): void {
    this.#keep(records.map((record) => ({ ...record, revokedAtMs: nowMs })))
    for (const record of records) this.onRevoked(record)
  }

  /** Adds records, or puts them in the place of those that there are, once that is written. */
  #keep(changed: readonly TokenRecord[]): void {
    const records = new Map(this.#records)
    for (const record of changed) records.set(record.id, record)
    this.#file.write({ tokens: [...records.values()].map(kept) })
    this.#records = records
  }

  #named(name: string): TokenRecord | undefined {
    for (const record of this.#records.values()) if (record.name === name && record.revokedAtMs === 0) return record
    return undefined
  }

  #used(record: TokenRecord, nowMs: number): void {
    record.lastUsedAtMs = nowMs
    if (nowMs - this.#keptAtMs < USE_KEPT_EVERY_MS) return
    this.#keptAtMs = nowMs
    this.keepUse()
  }

  #prune(nowMs: number): void {
    for (const { id, expiresAtMs, revokedAtMs } of this.#records.values()) {
      const until = revokedAtMs === 0 ? expiresAtMs : Math.min(expiresAtMs, revokedAtMs + REVOKED_MS)
      if (nowMs >= until) this.#records.delete(id)
    }
  }
}

const ID = /^[\da-f]{24}$/

function grantFor(request: TokenRequest, nowMs: number): Omit<Grant, 'keyId'> {
  const { admin = false, disposable = false, ttlMs = Number.POSITIVE_INFINITY, endpoint = '' } = request
  const { cache = admin ? '*' : 'default', operations = Number.POSITIVE_INFINITY } = request
  const id = randomBytes(12).toString('hex')
  const name = request.name ?? id
  checkName('token', name)
  if (ID.test(name) && name !== id) throw invalid('the name of a token must not look like an id')
  if (cache !== '*') checkName('cache', cache)
  if (admin && cache !== '*') throw invalid('an admin is one in all caches')
  if (admin && request.scopes?.length) throw invalid('an admin may do everything: give no scopes')
  if (Number.isNaN(ttlMs) || ttlMs < 1000) throw invalid('a token is good for a second at least')
  if (disposable && ttlMs > DISPOSABLE_MS_MAX) throw invalid('a disposable token must expire, within 25 h at most')
  if (Number.isNaN(operations) || operations <= 0) throw invalid('operations a second must be above 0')
  const scopes = admin ? [] : parseScopes(request.scopes ?? []).map(scopeText)
  // In whole seconds, as a token says it.
  const createdAtMs = Math.floor(nowMs / 1000) * 1000
  const expiresAtMs = Math.ceil((nowMs + ttlMs) / 1000) * 1000
  return { id, name, cache, scopes, admin, createdAtMs, expiresAtMs, disposable, operations, endpoint }
}

/** What is noted of a disposable token when it is revoked: no more is known of it than its id. */
function disposable(id: string, nowMs: number): TokenRecord | undefined {
  if (!ID.test(id)) return undefined
  return {
    id,
    name: id,
    cache: '*',
    scopes: [],
    admin: false,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + DISPOSABLE_MS_MAX + 1000,
    disposable: true,
    operations: Number.POSITIVE_INFINITY,
    endpoint: '',
    keyId: '',
    lastUsedAtMs: 0,
    revokedAtMs: 0,
  }
}

function kept(record: TokenRecord): KeptRecord {
  const { expiresAtMs, operations } = record
  return {
    ...record,
    expiresAtMs: Number.isFinite(expiresAtMs) ? expiresAtMs : null,
    operations: Number.isFinite(operations) ? operations : null,
  }
}

function unkept(record: KeptRecord): TokenRecord {
  return {
    ...record,
    expiresAtMs: record.expiresAtMs ?? Number.POSITIVE_INFINITY,
    operations: record.operations ?? Number.POSITIVE_INFINITY,
  }
}

function invalid(why: string): ReplyError {
  return new ReplyError(why, 'INVALID')
}
