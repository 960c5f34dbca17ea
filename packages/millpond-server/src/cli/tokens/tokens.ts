/** What is done with tokens. */
import type { Duration } from 'millpond'
import type { ServiceToken, ServiceTokenRecord } from 'millpond/service'
import { columns } from '../columns.ts'
import { print, printJson, remark } from '../print.ts'
import { reachOf, withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'
import { stringsOf } from './connection-strings.ts'

export interface TokenFlags {
  for?: string
  scope: string[]
  admin?: boolean
  ttl?: string
  disposable?: boolean
  operations?: number
}

export async function create(name: string, flags: ReachFlags & TokenFlags): Promise<void> {
  await withService(flags, async (service) => {
    const made = await service.tokens.create(name, {
      scopes: flags.scope,
      endpoint: service.place,
      ...(!flags.admin && { cache: flags.for ?? service.cache }),
      ...(flags.admin && { admin: true }),
      ...(flags.ttl !== undefined && { ttl: flags.ttl as Duration }),
      ...(flags.disposable && { disposable: true }),
      ...(flags.operations !== undefined && { operations: flags.operations }),
    })
    if (flags.json) printJson(made)
    else tellMade(made, reachOf(flags).url)
  })
}

/** The secret alone goes to stdout, so that a script can take it. */
function tellMade(made: ServiceToken, url: string): void {
  print(made.token)
  const { redis } = stringsOf(url, made.cache === '*' ? 'default' : made.cache, made.token)
  remark(`\nThis is told once. To use it:\n  export MILLPOND_URL='${redis}'`)
}

export async function list(flags: ReachFlags): Promise<void> {
  await withService(flags, async ({ tokens }) => {
    const all = await tokens.list()
    if (flags.json) return printJson(all)
    for (const line of columns(['token', 'id', 'cache', 'may', 'until', 'last used'], all.map(rowOf))) print(line)
  })
}

function rowOf(token: ServiceTokenRecord): string[] {
  const { name, id, cache, admin, scopes, expiresAtMs, lastUsedAtMs } = token
  const may = admin ? 'everything' : scopes.join(' ')
  return [name, id, cache, may, dayOf(expiresAtMs) ?? 'no end', dayOf(lastUsedAtMs) ?? 'never']
}

function dayOf(atMs: number | null | undefined): string | undefined {
  return atMs == null ? undefined : new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')
}

export async function revoke(nameOrId: string, flags: ReachFlags): Promise<void> {
  await withService(flags, async ({ tokens }) => {
    await tokens.revoke(nameOrId)
    if (flags.json) printJson({ revoked: nameOrId })
    else print(`revoked ${nameOrId}; its connections are closed`)
  })
}

export async function rotate(flags: ReachFlags & { retire?: boolean }): Promise<void> {
  await withService(flags, async ({ tokens }) => {
    const keys = flags.retire ? 1 : await tokens.rotate()
    if (flags.retire) await tokens.retire()
    if (flags.json) printJson({ keys })
    else if (flags.retire) print('tokens of the older key have ended')
    else
      print(
        'new tokens are signed by a new key; give users theirs, then end the others: millpond token rotate --retire',
      )
  })
}
