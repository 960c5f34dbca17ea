/** The tokens of a service, for an admin: what opens its caches. */
import type { Duration } from '../../core/duration.ts'
import { secondsOf } from './caches.ts'
import type { Link } from './link.ts'
import { namedFieldsOf } from './replies.ts'
import type { ServiceReply } from './reply-reader.ts'
import type { CommandWord } from './words.ts'

/** What a token is to be. */
export interface ServiceTokenRequest {
  /** The cache that it opens; `'*'`: each of them. Default `'default'`, of an admin's `'*'`. */
  cache?: string
  /**
   * What it may do: `(keys|topics):(read|write|readwrite)[:name or beginning*]`, such as `keys:read:user:*`. Default: everything
   * in its cache.
   */
  scopes?: readonly string[]
  /** Whether it may do everything, everywhere. */
  admin?: boolean
  /** How long it is good for, in whole seconds. Default: until it is revoked. */
  ttl?: Duration
  /** Not listed, and good for 25 h at most: for one user, one session. */
  disposable?: boolean
  /** Operations a second that all its connections have together. Default: no bound. */
  operations?: number
  /** Where the server is: told in the token. */
  endpoint?: string
}

/** A token as lists tell it: everything but the token. `null` is no bound, or never. */
export interface ServiceTokenRecord {
  readonly id: string
  readonly name: string
  readonly cache: string
  readonly scopes: readonly string[]
  readonly admin: boolean
  readonly operations: number | null
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
  /** Within a minute. */
  readonly lastUsedAtMs?: number | null
}

/** A token that was made. `token` is the secret: it is told this once. */
export interface ServiceToken extends ServiceTokenRecord {
  readonly token: string
}

/** What an admin may do with tokens. Everything throws ServiceError, with `access` where the token is no admin's. */
export interface ServiceTokens {
  /** @throws ServiceError with the word `EXISTS`, OptionError */
  create(name: string, request?: ServiceTokenRequest): Promise<ServiceToken>
  /** What is known of all tokens but the disposable ones; never the tokens themselves. */
  list(): Promise<ServiceTokenRecord[]>
  /** Ends a token and its connections at once. @throws ServiceError with the word `NOTFOUND` */
  revoke(nameOrId: string): Promise<void>
  /** Signs new tokens with a new key. Those of the key before go on until the next rotation. Returns how many keys are known. */
  rotate(): Promise<number>
  /** Forgets the older of two signing keys: its tokens end at once. */
  retire(): Promise<void>
}

export function tokensOf(link: Link): ServiceTokens {
  const ask = (...words: readonly CommandWord[]): Promise<ServiceReply> => link.send(['TOKEN', ...words], NEEDS)
  return {
    async create(name, request = {}) {
      return namedFieldsOf(await ask('CREATE', name, ...wordsOf(request))) as unknown as ServiceToken
    },
    async list() {
      return ((await ask('LIST')) as ServiceReply[]).map((one) => namedFieldsOf(one) as unknown as ServiceTokenRecord)
    },
    async revoke(nameOrId) {
      await ask('REVOKE', nameOrId)
    },
    async rotate() {
      return (await ask('ROTATE')) as number
    },
    async retire() {
      await ask('RETIRE')
    },
  }
}

const NEEDS = { needs: 'token' } as const

function wordsOf({
  cache,
  scopes = [],
  admin,
  ttl,
  disposable,
  operations,
  endpoint,
}: ServiceTokenRequest): CommandWord[] {
  const words: CommandWord[] = scopes.flatMap((scope) => ['SCOPE', scope])
  const seconds = secondsOf(ttl, 'ttl')
  if (cache !== undefined) words.push('CACHE', cache)
  if (admin) words.push('ADMIN')
  if (seconds !== undefined) words.push('EX', seconds)
  if (disposable) words.push('DISPOSABLE')
  if (operations !== undefined) words.push('OPERATIONS', operations)
  if (endpoint !== undefined) words.push('ENDPOINT', endpoint)
  return words
}
