/** What a request says about who sends it. */
import type { IncomingMessage } from 'node:http'
import { looksLikeToken } from '../../security/token.ts'
import { Problem } from './problem.ts'
import type { Target } from './url-parts.ts'

/** Byte strings. */
export interface Credentials {
  /** A cache or a user; '': the token says for which cache it is. */
  readonly name: string
  readonly secret: string
}

/** The parameters that Momento's and Upstash's clients give a token in, where they cannot set a header. */
const PARAMETERS = ['token', '_token']

/**
 * `Authorization: Bearer <token>`, or the bare token, or `Basic` with a cache and its token, or a user and its password;
 * else a parameter. `undefined`: the request says nothing.
 *
 * @throws Problem it says two things, or what cannot be read
 */
export function credentialsOf(request: IncomingMessage, target: Target): Credentials | undefined {
  const { authorization } = request.headers
  const parameter = target.mentions('token') || target.mentions('%') ? parameterOf(target) : undefined
  if (authorization === undefined || authorization === '')
    return parameter === undefined ? undefined : ofSecret(parameter)
  if (parameter !== undefined) throw new Problem('INVALID', 'give the token as a header or as a parameter, not as both')
  const space = authorization.indexOf(' ')
  if (space < 0) return ofSecret(authorization)
  const scheme = authorization.slice(0, space).toLowerCase()
  const given = authorization.slice(space + 1).trim()
  if (scheme === 'bearer') return ofSecret(given)
  if (scheme === 'basic') return ofPair(given)
  throw new Problem('UNAUTHORIZED', 'the scheme of Authorization is Bearer or Basic')
}

function parameterOf(target: Target): string | undefined {
  for (const name of PARAMETERS) {
    const value = target.parameter(name)
    if (value !== undefined) return value
  }
  return undefined
}

/** A token names its cache; a password is one of the default cache. */
function ofSecret(secret: string): Credentials {
  return { name: looksLikeToken(secret) ? '' : 'default', secret }
}

function ofPair(given: string): Credentials {
  const pair = Buffer.from(given, 'base64').toString('latin1')
  const colon = pair.indexOf(':')
  if (colon < 0) throw new Problem('UNAUTHORIZED', 'Basic is followed by the base64 of name:secret')
  const [name, secret] = [pair.slice(0, colon), pair.slice(colon + 1)]
  return name === '' ? ofSecret(secret) : { name, secret }
}

export function isSame(one: Credentials | undefined, other: Credentials | undefined): boolean {
  return one === other || (one?.name === other?.name && one?.secret === other?.secret)
}
