/** What is done with caches by name. */
import { type Duration, OptionError, type Size } from 'millpond'
import type { Service, ServiceCacheDescription, ServiceCacheSettings } from 'millpond/service'
import { columns } from '../columns.ts'
import { confirmed } from '../confirm.ts'
import { bytesText, countText, durationText, print, printJson } from '../print.ts'
import { withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'

export interface SettingFlags {
  maxMemory?: string
  policy?: string
  defaultTtl?: string
  maxTtl?: string
  itemSize?: string
  operations?: string
  bytesIn?: string
  bytesOut?: string
  connections?: string
  append?: string
}

export async function create(name: string, flags: ReachFlags & SettingFlags): Promise<void> {
  await withService(flags, async ({ caches }) => {
    await caches.create(name, settingsOf(flags))
    await tell(
      flags,
      () => caches.describe(name),
      `made the cache ${name}; next: millpond token create app --for ${name}`,
    )
  })
}

export async function update(name: string, flags: ReachFlags & SettingFlags): Promise<void> {
  const settings = settingsOf(flags)
  if (Object.keys(settings).length === 0) {
    throw new OptionError('cache update', name, 'say what is to change, such as --max-memory 64mb')
  }
  await withService(flags, async ({ caches }) => {
    await caches.update(name, settings)
    await tell(flags, () => caches.describe(name), `changed the cache ${name}`)
  })
}

export async function list(flags: ReachFlags): Promise<void> {
  await withService(flags, async ({ caches }) => {
    const all = await Promise.all((await caches.list()).map((name) => caches.describe(name)))
    if (flags.json) return printJson(all)
    const rows = all.map((one) => [one.name, one.keys, bytesText(one.usedBytes), bytesText(one.maxBytes), one.connections]) // biome-ignore format: one line
    for (const line of columns(['cache', 'keys', 'used', 'of', 'clients'], rows)) print(line)
  })
}

export async function describe(name: string, flags: ReachFlags): Promise<void> {
  await withService(flags, async ({ caches }) => {
    const description = await caches.describe(name)
    if (flags.json) printJson(description)
    else for (const line of picture(description)) print(line)
  })
}

export async function remove(name: string, flags: ReachFlags & { yes?: boolean }): Promise<void> {
  await withService(flags, async (service) => {
    await sure(service, name, flags, 'delete')
    await service.caches.delete(name)
    await tell(flags, async () => ({ deleted: name }), `deleted the cache ${name}`)
  })
}

export async function flush(name: string, flags: ReachFlags & { yes?: boolean }): Promise<void> {
  await withService(flags, async (service) => {
    await sure(service, name, flags, 'empty')
    await service.caches.flush(name)
    await tell(flags, async () => ({ flushed: name }), `the cache ${name} is empty`)
  })
}

export async function accessKey(name: string, which: string, flags: ReachFlags): Promise<void> {
  if (which !== 'primary' && which !== 'secondary') throw new OptionError('key', which, 'give primary or secondary')
  await withService(flags, async ({ caches }) => {
    const key = await caches.accessKey(name, which)
    if (flags.json) printJson({ cache: name, key: which, secret: key })
    else print(key)
  })
}

async function sure({ caches }: Service, name: string, flags: { yes?: boolean }, what: string): Promise<void> {
  const { keys } = await caches.describe(name)
  await confirmed(`${what} the cache ${name} with ${countText(keys, 'key')}`, flags)
}

async function tell(flags: ReachFlags, json: () => Promise<unknown>, text: string): Promise<void> {
  if (flags.json) printJson(await json())
  else print(text)
}

function settingsOf(flags: SettingFlags): ServiceCacheSettings {
  const { policy, append } = flags
  if (append !== undefined && append !== 'no' && append !== 'everysec' && append !== 'always') {
    throw new OptionError('append', append, 'give no, everysec or always')
  }
  const settings: Record<string, unknown> = {
    policy,
    append,
    maxMemory: amount(flags.maxMemory),
    itemSize: amount(flags.itemSize),
    bytesIn: amount(flags.bytesIn),
    bytesOut: amount(flags.bytesOut),
    defaultTtl: amount(flags.defaultTtl),
    maxTtl: amount(flags.maxTtl),
    operations: count(flags.operations, 'operations'),
    connections: count(flags.connections, 'connections'),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as ServiceCacheSettings
}

/** A number, or a number with a unit, which the client checks. */
function amount(text: string | undefined): Size | Duration | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : (text as Size | undefined)
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw new OptionError(option, text, 'give a whole number; 0 is no bound')
}

function picture(cache: ServiceCacheDescription): string[] {
  const bound = (value: number | null, text: (value: number) => string): string =>
    value === null ? 'no bound' : text(value)
  const reads = cache.hits + cache.misses
  const facts: readonly (readonly [string, string])[] = [
    ['cache', cache.name],
    ['holds', `${countText(cache.keys, 'key')}, ${bytesText(cache.usedBytes)} of ${bytesText(cache.maxBytes)}`],
    ['when full', cache.policy],
    [
      'hit rate',
      reads === 0 ? 'no reads yet' : `${((100 * cache.hits) / reads).toFixed(1)} % of ${countText(reads, 'read')}`,
    ],
    ['lives', `${bound(cache.defaultTtlMs, durationText)} by default, ${bound(cache.maxTtlMs, durationText)} at most`],
    ['items', `up to ${bytesText(cache.itemBytesMax)}`],
    ['disk', cache.append === 'no' ? 'in memory only' : `written to disk, ${cache.append}`],
    ['clients', `${cache.connections} of ${bound(cache.connectionsMax, String)}`],
    ['operations', `${bound(cache.operations, String)} a second; ${cache.refused} refused`],
    ['bytes', `in ${bound(cache.bytesIn, bytesText)}, out ${bound(cache.bytesOut, bytesText)} a second`],
    ['access keys', `primary ${made(cache.primaryKeyCreatedAtMs)}, secondary ${made(cache.secondaryKeyCreatedAtMs)}`],
  ]
  return facts.map(([name, text]) => `  ${name.padEnd(12)}${text}`)
}

function made(atMs: number | null): string {
  return atMs === null ? 'none' : `of ${new Date(atMs).toISOString().slice(0, 10)}`
}
