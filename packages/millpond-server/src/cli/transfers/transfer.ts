/** A backup, a restore or an import: begun at the server, and watched until it is over. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { plainOf, type Service } from 'millpond/service'
import { isLoopback } from '../../security/exposure.ts'
import { columns } from '../columns.ts'
import { EXIT } from '../exit-codes.ts'
import { bytesText, durationText, print, printJson, remark } from '../print.ts'
import { connect, reachOf, withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'
import { ProgressLine } from './progress-line.ts'

export type Kind = 'backup' | 'restore' | 'import'

export interface TransferFlags {
  replace?: boolean
  list?: boolean
}

/** How far it is, as the server tells it. */
interface Status {
  readonly state: 'running' | 'done' | 'failed'
  readonly done: number
  /** Below 0: nobody knows. */
  readonly total: number
  readonly bytes: number
  readonly error: string | null
  readonly result: Readonly<Record<string, string | number>> | null
}

const LOOK_EVERY_MS = 200

/** Returns the exit code. */
export async function transfer(kind: Kind, place: string, flags: ReachFlags & TransferFlags): Promise<number> {
  const service = connect(reachOf(flags))
  try {
    // A file is restored over what is there; so an import of one is a restore.
    const isFile = kind === 'import' && place.endsWith('.rdb')
    const word = isFile ? 'restore' : kind
    const replace = flags.replace || isFile ? ['REPLACE'] : []
    const asked = word === 'backup' ? [] : replace
    const id = (await service.command('TRANSFER', word, service.cache, whereOf(place, service), ...asked)) as number
    const status = await watch(service, id, flags)
    tell(kind, status, flags)
    return status.state === 'done' ? 0 : EXIT.FAILED
  } finally {
    await service.close()
  }
}

async function watch(service: Service, id: number, { json }: ReachFlags): Promise<Status> {
  const line = new ProgressLine(!json)
  const cancel = (): void => void service.command('TRANSFER', 'CANCEL', id).catch(() => {})
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, cancel)
  try {
    for (;;) {
      const status = plainOf(await service.command('TRANSFER', 'STATUS', id)) as Status
      line.show(status)
      if (status.state !== 'running') return status
      await sleep(LOOK_EVERY_MS)
    }
  } finally {
    line.end()
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, cancel)
  }
}

function tell(kind: Kind, status: Status, { json }: ReachFlags): void {
  if (json) printJson(status)
  else if (status.state === 'failed') remark(`error: ${kind}: ${status.error}`)
  else
    print(
      `${DONE[kind]}: ${Object.entries(status.result ?? {})
        .map(shown)
        .join(', ')}`,
    )
}

const DONE: Readonly<Record<Kind, string>> = { backup: 'backed up', restore: 'restored', import: 'imported' }

function shown([name, value]: [string, string | number]): string {
  if (name === 'bytes') return bytesText(Number(value))
  if (name === 'tookMs') return `in ${durationText(Number(value))}`
  if (name === 'createdAtMs') return `of ${new Date(Number(value)).toISOString()}`
  if (name === 'sha256') return `SHA-256 ${String(value).slice(0, 12)}…`
  return typeof value === 'number' ? `${value.toLocaleString('en')} ${name}` : value
}

/** Prints the backups of the cache in a place. */
export async function listBackups(place: string, flags: ReachFlags): Promise<void> {
  await withService(flags, async (service) => {
    const answer = await service.command('TRANSFER', 'BACKUPS', service.cache, whereOf(place, service))
    const records = plainOf(answer) as Record<string, string | number>[]
    if (flags.json) return printJson(records)
    const rows = records.map((one) => [one.name, Number(one.keys), bytesText(Number(one.bytes)), new Date(Number(one.createdAtMs)).toISOString()]) // biome-ignore format: one line
    for (const line of columns(['backup', 'keys', 'size', 'of'], rows)) print(line)
  })
}

/** A path of this machine is meant from here, where the server runs on it as well. */
function whereOf(place: string, service: Service): string {
  const host = service.place.startsWith('/') ? 'localhost' : service.place.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') // biome-ignore format: one line
  return /^[a-z\d+.-]+:\/\//i.test(place) || !isLoopback(host) ? place : resolve(place)
}
