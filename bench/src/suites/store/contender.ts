/** One contender of the suite `store`, in its own process: values are in Redis, and not in its memory. */

import { Redis } from 'ioredis'
import type { Store, StoreRecord } from 'millpond'
import type { Contender } from '../../alternate.ts'
import { trade } from '../../peers/trade.ts'
import { openers, type Reader } from './openers.ts'

export interface Argument {
  readonly subject: string
  readonly port: number
  /** Reads of a turn. */
  readonly reads: number
}

/** More than any near tier here has room for; each read is of the one that was read longest ago. */
const KEYS = 4096
const AT_ONCE = 64
const LIFE_MS = 3_600_000

/** Opens the contender and brings every value to the server. */
export async function prepare({ subject, port, reads }: Argument): Promise<Contender> {
  const client = new Redis({ host: '127.0.0.1', port })
  const keys = Array.from({ length: KEYS }, (_, at) => `trade:${at}`)
  const { read, store, raw } = await openers[subject]!({ client, port })
  await read('connected')
  await new Promise((resolve) => setTimeout(resolve, 200))
  for (const key of keys) await read(key)
  await new Promise((resolve) => setTimeout(resolve, 200)) // fills go on behind
  let next = 0
  const nextKey = (): string => keys[next++ % KEYS]!
  return {
    name: subject,
    turn: async () => ({
      hitP50: await oneByOne(read, nextKey, reads),
      hit64: await together(read, nextKey, reads),
      ...(raw ? await rawWrites(client, reads) : {}),
      ...(store ? await storeWrites(store, reads) : {}),
    }),
    close: () => client.disconnect(),
  }
}

async function oneByOne(read: Reader, nextKey: () => string, count: number): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const beganAtMs = performance.now()
    check(await read(nextKey()))
    times.push(performance.now() - beganAtMs)
  }
  return median(times)
}

/** Microseconds of one read where so many are under way. */
async function together(read: Reader, nextKey: () => string, count: number): Promise<number> {
  const beganAtMs = performance.now()
  for (let at = 0; at < count; at += AT_ONCE) {
    const values = await Promise.all(Array.from({ length: AT_ONCE }, () => read(nextKey())))
    for (const value of values) check(value)
  }
  return ((performance.now() - beganAtMs) * 1000) / count
}

let fresh = 0
const value = JSON.stringify(trade('written'))

async function rawWrites(client: Redis, count: number): Promise<Record<string, number>> {
  const fill = await p50(count, async () => {
    const key = `raw:${fresh++}`
    await client.get(key)
    await client.set(key, value, 'PX', LIFE_MS)
  })
  let at = fresh - count
  const deleting = await p50(count, () => client.del(`raw:${at++}`))
  return { fill, delete: deleting }
}

async function storeWrites(store: Store, count: number): Promise<Record<string, number>> {
  const record: StoreRecord = { value, freshMs: LIFE_MS, keepMs: LIFE_MS, tags: [['', 'version of all']] }
  const fill = await p50(count, async () => {
    const key = `store:${fresh++}`
    const { entries } = await store.read([key], [])
    if (!(await store.fill(key, record, entries[0]!.mark))) throw new Error('a fill was refused')
  })
  let at = fresh - count
  const deleting = await p50(count, () => store.invalidate([`store:${at++}`], 10_000, false))
  return { fill, delete: deleting }
}

async function p50(count: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const beganAtMs = performance.now()
    await work()
    times.push(performance.now() - beganAtMs)
  }
  return median(times)
}

/** In microseconds. */
function median(timesMs: number[]): number {
  timesMs.sort((one, other) => one - other)
  return timesMs[timesMs.length >> 1]! * 1000
}

function check(read: unknown): void {
  if ((read as { symbol?: string } | undefined)?.symbol !== 'MILL') throw new Error(`a read gave ${String(read)}`)
}
