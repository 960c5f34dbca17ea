import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { KeptFile } from './kept-file.ts'
import { SigningKeys } from './signing-keys.ts'
import { Tokens } from './tokens.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function start(folder?: string): Tokens {
  const path = (name: string): string | undefined => folder && join(folder, 'millpond', name)
  return new Tokens(new SigningKeys(new KeptFile(path('keys.json')), NOW), new KeptFile(path('tokens.json')))
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-tokens-'))
  folders.push(folder)
  return folder
}

/** Why a token opens nothing. */
function refusal(tokens: Tokens, secret: string, cache = 'shop', nowMs = NOW): string {
  try {
    tokens.verify(secret, cache, nowMs)
    return 'it opens'
  } catch (error) {
    return (error as Error).message
  }
}

test('a token says what it was made for', () => {
  const tokens = start()
  const { secret, grant } = tokens.create(
    { name: 'app', cache: 'shop', scopes: ['keys:read:user:*', 'topics:write'], ttlMs: HOUR, endpoint: 'cache:6379' },
    NOW,
  )
  expect(tokens.verify(secret, 'shop', NOW)).toEqual(grant)
  expect(grant).toMatchObject({
    name: 'app',
    cache: 'shop',
    scopes: ['keys:read:user:*', 'topics:write'],
    admin: false,
    expiresAtMs: NOW + HOUR,
    endpoint: 'cache:6379',
  })
  const [, payload] = secret.split('.')
  expect(JSON.parse(Buffer.from(payload!, 'base64url').toString())).toMatchObject({
    aud: 'shop',
    endpoint: 'cache:6379',
  })
})

describe('what opens nothing, and why', () => {
  test('by time, by cache, by revocation', () => {
    const tokens = start()
    const { secret } = tokens.create({ name: 'app', cache: 'shop', ttlMs: HOUR }, NOW)
    expect(refusal(tokens, secret)).toBe('it opens')
    expect(refusal(tokens, secret, 'shop', NOW + HOUR - 1)).toBe('it opens')
    expect(refusal(tokens, secret, 'shop', NOW + HOUR)).toBe('Invalid auth token: expired 1 s ago')
    expect(refusal(tokens, secret, 'shop', NOW + 4 * HOUR)).toBe('Invalid auth token: expired 3 h ago')
    expect(refusal(tokens, secret, 'bank')).toBe('Invalid auth token: it is for another cache')
    tokens.revoke('app', NOW + 1000)
    expect(refusal(tokens, secret, 'shop', NOW + 121_000)).toBe('Invalid auth token: revoked 2 min ago')
    expect(() => tokens.revoke('app', NOW)).toThrow("there is no token 'app'")
  })

  test('what was not signed here, or not so', () => {
    const tokens = start()
    const { secret } = tokens.create({ cache: 'shop' }, NOW)
    const [head, payload, signature] = secret.split('.') as [string, string, string]
    const forged = Buffer.from(JSON.stringify({ ...decoded(payload), aud: '*', admin: true })).toString('base64url')
    const wrong = 'Invalid auth token: its signature is wrong'
    expect(refusal(tokens, `${head}.${forged}.${signature}`)).toBe(wrong)
    expect(refusal(tokens, `${head}.${payload}.`)).toBe(wrong)
    const unsigned = Buffer.from(JSON.stringify({ ...decoded(head), alg: 'none' })).toString('base64url')
    expect(refusal(tokens, `${unsigned}.${forged}.`)).toBe(wrong)
    // Another algorithm of the same key.
    const longer = Buffer.from(JSON.stringify({ ...decoded(head), alg: 'HS512' })).toString('base64url')
    const signed = createHmac('sha512', tokens.keys.current.secret).update(`${longer}.${forged}`).digest('base64url')
    expect(refusal(tokens, `${longer}.${forged}.${signed}`)).toBe(wrong)
    expect(refusal(start(), secret)).toBe('Invalid auth token: signed by a key that is not known')
    for (const bad of ['', 'eyJ.x.y', 'a.b.c', `${secret}\n`, secret.slice(1)]) {
      expect(refusal(tokens, bad)).toMatch(/^Invalid auth token: /)
      expect(refusal(tokens, bad)).not.toContain(payload.slice(0, 20))
    }
  })

  test('a key that was replaced twice, or retired', () => {
    const tokens = start()
    const { secret } = tokens.create({ cache: 'shop' }, NOW)
    expect(tokens.keys.rotate(NOW)).toBe(undefined)
    expect(refusal(tokens, secret)).toBe('it opens')
    const { secret: newer, grant } = tokens.create({ cache: 'shop' }, NOW)
    expect(grant.keyId).toBe(tokens.keys.current.id)
    expect(tokens.keys.retire()).toBeDefined()
    expect(refusal(tokens, secret)).toBe('Invalid auth token: signed by a key that is not known')
    expect(refusal(tokens, newer)).toBe('it opens')
    tokens.keys.rotate(NOW)
    expect(tokens.keys.rotate(NOW)).toBe(grant.keyId)
    expect(refusal(tokens, newer)).toBe('Invalid auth token: signed by a key that is not known')
  })
})

test('a disposable token must expire, is not listed, and can be revoked by its id', () => {
  const tokens = start()
  expect(() => tokens.create({ disposable: true }, NOW)).toThrow('must expire, within 25 h')
  expect(() => tokens.create({ disposable: true, ttlMs: 25 * HOUR + 1 }, NOW)).toThrow('within 25 h')
  const { secret, grant } = tokens.create({ disposable: true, cache: 'shop', ttlMs: 25 * HOUR }, NOW)
  expect(tokens.list(NOW)).toEqual([])
  expect(refusal(tokens, secret)).toBe('it opens')
  tokens.revoke(grant.id, NOW)
  expect(refusal(tokens, secret)).toBe('Invalid auth token: revoked 1 s ago')
})

test('lists tell no secret, and when a token was used last', () => {
  const tokens = start()
  const { secret } = tokens.create({ name: 'app', cache: 'shop', ttlMs: HOUR }, NOW)
  expect(tokens.list(NOW)).toMatchObject([{ name: 'app', lastUsedAtMs: 0 }])
  tokens.verify(secret, 'shop', NOW + 500)
  expect(tokens.list(NOW + 500)).toMatchObject([{ lastUsedAtMs: NOW + 500 }])
  expect(JSON.stringify(tokens.list(NOW))).not.toContain(secret.split('.')[2])
  expect(tokens.list(NOW + HOUR)).toEqual([])
})

test.each([
  [{ name: 'a b' }, 'is no name for a token'],
  [{ name: '../x' }, 'is no name for a token'],
  [{ cache: 'a/b' }, 'is no name for a cache'],
  [{ scopes: ['keys:delete'] }, 'is no scope'],
  [{ scopes: ['keys:read:a b'] }, 'white space'],
  [{ scopes: Array.from({ length: 21 }, () => 'keys:read') }, 'at most 20 scopes'],
  [{ admin: true, cache: 'shop' }, 'an admin is one in all caches'],
  [{ admin: true, scopes: ['keys:read'] }, 'give no scopes'],
  [{ ttlMs: Number.NaN }, 'a second at least'],
  [{ operations: 0 }, 'above 0'],
])('%j is refused', (request, why) => {
  expect(() => start().create(request, NOW)).toThrow(why)
})

test('names are of one token at a time', () => {
  const tokens = start()
  tokens.create({ name: 'app' }, NOW)
  expect(() => tokens.create({ name: 'app' }, NOW)).toThrow("there is a token 'app' already")
  tokens.revoke('app', NOW)
  expect(tokens.create({ name: 'app' }, NOW).grant.name).toBe('app')
})

describe('kept in a folder', () => {
  test('all is there again, revocations too, for its owner alone', () => {
    const folder = temporary()
    const before = start(folder)
    const { secret } = before.create({ name: 'app', cache: 'shop', ttlMs: HOUR, operations: 5 }, NOW)
    const { secret: forever } = before.create({ name: 'lost', cache: 'shop' }, NOW)
    before.revoke('lost', NOW)
    const after = start(folder)
    expect(after.verify(secret, 'shop', NOW)).toMatchObject({ name: 'app', operations: 5 })
    expect(refusal(after, forever)).toContain('revoked')
    for (const name of ['keys.json', 'tokens.json']) {
      expect(statSync(join(folder, 'millpond', name)).mode & 0o777).toBe(0o600)
    }
    expect(readFileSync(join(folder, 'millpond', 'tokens.json'), 'utf8')).not.toContain(secret.split('.')[2])
  })

  test('what cannot be written is not done, and keeps nobody out', () => {
    const folder = temporary()
    const place = join(folder, 'millpond')
    const tokens = start(folder)
    const { secret } = tokens.create({ name: 'app', cache: 'shop' }, NOW)
    const ended: string[] = []
    tokens.onRevoked = ({ name }) => void ended.push(name)
    renameSync(place, `${place}.away`)
    writeFileSync(place, '')
    expect(() => tokens.create({ name: 'new' }, NOW)).toThrow(/^nothing was changed, as it can not be kept: /)
    expect(() => tokens.revoke('app', NOW)).toThrow(expect.objectContaining({ code: 'MISCONF' }))
    expect(() => tokens.forget('shop', NOW)).toThrow(expect.objectContaining({ code: 'MISCONF' }))
    expect(tokens.verify(secret, 'shop', NOW)).toMatchObject({ name: 'app' })
    expect([ended, tokens.list(NOW).map(({ name }) => name)]).toEqual([[], ['app']])
    rmSync(place)
    renameSync(`${place}.away`, place)
    tokens.revoke('app', NOW)
    expect([ended, refusal(start(folder), secret)]).toEqual([['app'], 'Invalid auth token: revoked 1 s ago'])
  })

  test('a list that was lost opens nothing', () => {
    const folder = temporary()
    const { secret } = start(folder).create({ name: 'app', cache: 'shop' }, NOW)
    rmSync(join(folder, 'millpond', 'tokens.json'))
    expect(refusal(start(folder), secret)).toBe('Invalid auth token: it is not in the list of tokens')
  })
})

function decoded(part: string): object {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as object
}
