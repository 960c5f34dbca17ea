/** The way in: by a user's password, a token, or an access key of a cache. */
import type { Timer } from 'millpond'
import { ReplyError } from '../../engine/errors.ts'
import { type AccessKeyName, AccessKeys } from '../../security/access-keys.ts'
import { Guesses, WrongSecretError } from '../../security/guesses.ts'
import { KeptFile } from '../../security/kept-file.ts'
import { Meter, NO_QUOTAS } from '../../security/meter.ts'
import { SigningKeys } from '../../security/signing-keys.ts'
import { type Grant, looksLikeToken } from '../../security/token.ts'
import { Tokens } from '../../security/tokens.ts'
import type { Client } from '../client.ts'
import type { CommandTable } from '../command-table.ts'
import { HOME, type Host } from '../host.ts'
import { Session, type SessionTraits } from './session.ts'
import { accessKeyUser, tokenUser } from './token-user.ts'

/** Timers of Node reach no further. */
const TIMER_MS_MAX = 2 ** 31 - 1

const WRONG_PASSWORD = 'invalid username-password pair or user is disabled.'

/**
 * Tokens and access keys are looked at first, and always: nobody can guess them, so a right one is never held back for
 * somebody's guesses. What is left is a user's password, which is not even compared while too many were wrong.
 */
export class Entrance {
  readonly tokens: Tokens
  readonly accessKeys: AccessKeys
  readonly #guesses: Guesses
  readonly #host: Host
  readonly #sessions = new Map<string, Session>()

  constructor(host: Host, tokens: Tokens, accessKeys: AccessKeys, guesses: Guesses) {
    this.#host = host
    this.tokens = tokens
    this.accessKeys = accessKeys
    this.#guesses = guesses
    tokens.onRevoked = ({ id }) => this.#end(`token ${id}`)
    accessKeys.onReplaced = (cache, key) => this.#end(keyId(cache, key))
  }

  /**
   * Makes a client who it says it is, in the cache that it names. With a token the name is a cache's, or '' for the one that the token
   * is for. @throws ReplyError why it is nobody: a `WrongSecretError` is to be answered after its `delayMs`
   */
  admit(client: Client, name: string, secret: string): void {
    const fault = this.#openByToken(client, name, secret)
    if (fault === undefined || this.#openByKey(client, name, secret) || this.#openFreely(client, name, secret)) return
    const { address } = client
    const nowMs = this.#nowMs
    const heldMs = this.#guesses.heldFor(address, nowMs)
    if (heldMs > 0) throw new WrongSecretError(`too many wrong ones from this address, try again in ${heldMs} ms`, 0)
    if (this.#openByPassword(client, name, secret)) return
    throw new WrongSecretError(fault, this.#guesses.failed(address, nowMs))
  }

  /** Whether a client may change caches and tokens: an admin's token, or an unlimited user of the home cache. */
  mayAdminister({ session, service, user }: Client): boolean {
    return session === undefined ? service === this.#host.home && user.unlimited : session.admin
  }

  /** A cache is no more: neither are its tokens and access keys. @throws ReplyError MISCONF: that cannot be kept */
  forget(cache: string): void {
    this.tokens.forget(cache, this.#nowMs)
    this.accessKeys.forget(cache)
  }

  /** A new key signs tokens. Those of the key before the last open nothing any more. Returns how many keys are known. */
  rotate(nowMs: number): number {
    this.#endKey(this.tokens.keys.rotate(nowMs))
    return this.tokens.keys.all.length
  }

  /** The older key is known no longer. Returns whether there was one. */
  retire(): boolean {
    const id = this.tokens.keys.retire()
    this.#endKey(id)
    return id !== undefined
  }

  /** `undefined`: it is open; else why not. */
  #openByToken(client: Client, name: string, secret: string): string | undefined {
    if (!looksLikeToken(secret)) return WRONG_PASSWORD
    let grant: Grant
    try {
      grant = this.tokens.verify(secret, name === '' ? undefined : name, this.#nowMs)
    } catch (error) {
      if (error instanceof ReplyError) return error.message
      throw error
    }
    const cache = name === '' && grant.cache === '*' ? HOME : name || grant.cache
    if (grant.cache !== '*' && grant.createdAtMs < wholeSeconds(this.#host.record(cache).createdAtMs)) {
      return 'Invalid auth token: it was made for an earlier cache of this name'
    }
    this.#enter(client, cache, `token ${grant.id}`, () => tokenTraits(grant, client.service.commands, this.#nowMs))
    return undefined
  }

  #openByKey(client: Client, name: string, secret: string): boolean {
    const key = this.accessKeys.find(name, secret)
    if (key === undefined) return false
    this.#enter(client, name, keyId(name, key), () => ({ user: accessKeyUser(key, client.service.commands) }))
    return true
  }

  /** Where everybody may do everything, an empty secret opens each cache: that is only a way to name it. */
  #openFreely(client: Client, name: string, secret: string): boolean {
    const { accessControl } = this.#host.home
    const { defaultUser, mustAuthenticate } = accessControl
    if (secret !== '' || name === HOME || mustAuthenticate || !defaultUser.unlimited) return false
    if (!this.#host.services.has(name)) return false
    this.#enter(client, name, `free ${name}`, () => ({ user: accessKeyUser('none', client.service.commands) }))
    return true
  }

  /** A user of the cache that the client is in, or of the home cache. What looks like a token is no password that nobody asked for. */
  #openByPassword(client: Client, name: string, password: string): boolean {
    const { home } = this.#host
    if (looksLikeToken(name)) return false
    const user = home.accessControl.user(name)
    if (looksLikeToken(password) && (client.service.accessControl.user(name) ?? user)?.noPassword) return false
    if (client.service !== home && user?.accepts(password)) client.enter(home)
    return client.service.accessControl.authenticate(client, name, password)
  }

  /** @throws ReplyError LIMIT, NOTFOUND, or inside a transaction */
  #enter(client: Client, cache: string, id: string, traits: () => SessionTraits): void {
    const service = this.#host.service(cache)
    const isNew = client.service !== service
    if (isNew && service.clients.size >= service.connectionsMax) {
      throw new ReplyError(`cache '${cache}' has its ${service.connectionsMax} connections already`, 'LIMIT')
    }
    client.enter(service)
    service.accessControl.welcomeAs(client, this.#session(id, traits))
  }

  /** The session of a token or key: there is one while it has clients. */
  #session(id: string, traits: () => SessionTraits): Session {
    const known = this.#sessions.get(id)
    if (known) return known
    let timer: Timer | undefined
    const session = new Session(id, traits(), () => {
      timer?.cancel()
      this.#sessions.delete(id)
    })
    const { time } = this.#host.home
    const wait = (): void => {
      const leftMs = session.expiresAtMs - time.read()
      if (leftMs <= 0) this.#expire(session)
      else timer = time.after(Math.min(leftMs, TIMER_MS_MAX), wait)
    }
    if (session.expiresAtMs !== Infinity) wait()
    this.#sessions.set(id, session)
    return session
  }

  /** Its clients stay, and may do nothing more until they say anew who they are. */
  #expire(session: Session): void {
    const why = new ReplyError('Invalid auth token: it has expired, give another one', 'NOAUTH')
    for (const client of [...session.clients]) client.lose(why)
  }

  #end(id: string): void {
    for (const client of [...(this.#sessions.get(id)?.clients ?? [])]) {
      client.close(client.service.current === client ? 'after the answer' : 'now')
    }
  }

  get #nowMs(): number {
    return this.#host.home.time.read()
  }

  #endKey(key: string | undefined): void {
    if (key === undefined) return
    for (const session of [...this.#sessions.values()]) if (session.signedBy === key) this.#end(session.id)
  }
}

function tokenTraits(grant: Grant, commands: CommandTable, nowMs: number): SessionTraits {
  const { name, admin, keyId: signedBy, operations, expiresAtMs } = grant
  const meter = Number.isFinite(operations) && new Meter(`token '${name}'`, { ...NO_QUOTAS, operations }, nowMs)
  return { user: tokenUser(grant, commands), admin, signedBy, expiresAtMs, ...(meter && { meter }) }
}

/** As a token says when it was made. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}

function keyId(cache: string, key: AccessKeyName): string {
  return `key ${cache} ${key}`
}

/** The entrance of a host, with what was kept of tokens and access keys. */
export function makeEntrance(host: Host): Entrance {
  const nowMs = host.home.time.read()
  const keys = new SigningKeys(new KeptFile(host.pathOf('signing-keys.json')), nowMs)
  const tokens = new Tokens(keys, new KeptFile(host.pathOf('tokens.json')))
  return new Entrance(host, tokens, new AccessKeys(new KeptFile(host.pathOf('access-keys.json'))), new Guesses())
}
