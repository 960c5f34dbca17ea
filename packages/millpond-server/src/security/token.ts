/**
 * A token: what it says, and how that is written and signed.
 *
 * Implementation note. A token is a JSON Web Token, signed by HMAC with SHA-256 through fast-jwt. Signer and verifier are the
 * same server, so a shared secret of 256 bits does all that a key pair would, in 10 us instead of 100 and with nothing to
 * publish. fast-jwt verifies within the call: what follows an AUTH in the same read must not wait for a promise. jose and
 * paseto are asynchronous throughout, jsonwebtoken is synchronous but brings ten packages and allows what we would have to
 * forbid. It compares signatures in constant time. The algorithm is fixed here, whatever the head of a token says; expiry
 * is compared here too, after the signature and by the clock of the server.
 *
 * Jones, Bradley, Sakimura: JSON Web Token (JWT). RFC 7519, 2015.
 * Sheffer, Hardt, Jones: JSON Web Token Best Current Practices. RFC 8725, 2020.
 */
import { createRequire } from 'node:module'
import type * as FastJwt from 'fast-jwt'
import { ReplyError } from '../engine/errors.ts'
import type { SigningKey, SigningKeys } from './signing-keys.ts'

/** What a token says. Times are milliseconds of the wall clock. */
export interface Grant {
  readonly id: string
  /** What its maker calls it. */
  readonly name: string
  /** The cache that it is for; '*': each of them. */
  readonly cache: string
  /** See scope.ts. Of an admin's: none. */
  readonly scopes: readonly string[]
  /** Whether it may do everything, everywhere. */
  readonly admin: boolean
  readonly createdAtMs: number
  /** Infinity: never. */
  readonly expiresAtMs: number
  /** Made for a short time and not listed. */
  readonly disposable: boolean
  /** Operations a second that all its connections have together; Infinity: no bound. */
  readonly operations: number
  /** Where the server is, for clients that are given nothing else: '' or 'host:port'. */
  readonly endpoint: string
  /** Of the signing key. */
  readonly keyId: string
}

interface Claims {
  readonly jti: string
  readonly name: string
  readonly aud: string
  readonly iat: number
  readonly exp?: number
  readonly scopes?: readonly string[]
  readonly admin?: true
  readonly disposable?: true
  readonly operations?: number
  readonly endpoint?: string
}

const ALGORITHM = 'HS256'
const FORM = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/
const LENGTH_MAX = 16 * 1024

const verifiers = new WeakMap<SigningKey, (token: string) => unknown>()

let loaded: typeof FastJwt | undefined

/** fast-jwt, loaded with the first token and within the call: who has none does without. */
function jwt(): typeof FastJwt {
  loaded ??= createRequire(import.meta.url)('fast-jwt') as typeof FastJwt
  return loaded
}

/** Whether a secret looks like a token: passwords do not. */
export function looksLikeToken(secret: string): boolean {
  return secret.length <= LENGTH_MAX && FORM.test(secret)
}

export function sign(grant: Omit<Grant, 'keyId'>, key: SigningKey): string {
  const { id, name, cache, scopes, admin, createdAtMs, expiresAtMs, disposable, operations, endpoint } = grant
  const claims: Claims = {
    jti: id,
    name,
    aud: cache,
    iat: createdAtMs / 1000,
    ...(Number.isFinite(expiresAtMs) && { exp: expiresAtMs / 1000 }),
    ...(admin ? { admin } : { scopes }),
    ...(disposable && { disposable }),
    ...(Number.isFinite(operations) && { operations }),
    ...(endpoint !== '' && { endpoint }),
  }
  return jwt().createSigner({ key: key.secret, algorithm: ALGORITHM, kid: key.id })({ ...claims })
}

/** Reads a token that one of the keys has signed, whether or not its time is over. @throws ReplyError WRONGPASS */
export function readToken(secret: string, keys: SigningKeys): Grant {
  const key = keys.find(keyIdOf(secret))
  if (key === undefined) throw badToken('signed by a key that is not known')
  let claims: Claims
  try {
    claims = verifierOf(key)(secret) as Claims
  } catch {
    throw badToken('its signature is wrong')
  }
  return grantOf(claims, key.id)
}

/** @throws ReplyError why a token opens nothing; the token itself is never told */
export function badToken(why: string): ReplyError {
  return new ReplyError(`Invalid auth token: ${why}`, 'WRONGPASS')
}

function keyIdOf(secret: string): string {
  try {
    const { header } = jwt().createDecoder({ complete: true })(secret) as {
      readonly header: { readonly kid?: unknown }
    }
    return String(header.kid)
  } catch {
    throw badToken('it can not be read')
  }
}

function verifierOf(key: SigningKey): (token: string) => unknown {
  const known = verifiers.get(key)
  if (known) return known
  const verify = jwt().createVerifier({
    key: key.secret,
    algorithms: [ALGORITHM],
    ignoreExpiration: true,
    ignoreNotBefore: true,
    cache: false,
  })
  verifiers.set(key, verify)
  return verify
}

function grantOf(claims: Claims, keyId: string): Grant {
  const { jti, name, aud, iat, exp = Number.POSITIVE_INFINITY, scopes = [], admin = false } = claims
  const { disposable = false, operations = Number.POSITIVE_INFINITY, endpoint = '' } = claims
  return {
    id: jti,
    name,
    cache: aud,
    scopes,
    admin,
    createdAtMs: Math.round(iat * 1000),
    expiresAtMs: Math.round(exp * 1000),
    disposable,
    operations,
    endpoint,
    keyId,
  }
}
