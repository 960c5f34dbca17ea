/** Who reads and who writes in the race, and what they write down. */
import { setTimeout as sleep } from 'node:timers/promises'
import { positionOf } from 'millpond/mongodb'
import type { Collection } from 'mongodb'
import { nowMs, type Read, versionAt } from '../fresh/history.ts'
import { type CacheProcess, questions, type RaceRow } from './cache-process.ts'
import { GROUPS, HUNG_MS, KEYS, type RaceRecord } from './race.ts'

type Random = () => number

/** One in so many writes moves a row to another group. */
const MOVES = 4
const WRITE_PAUSE_MS = 60
/** Whether a write happened that has no answer after so long is not known. */
const WRITE_MS = 3000

/** Puts one question after the other, and writes down what it was answered. */
export class Reader {
  private readonly process: CacheProcess
  private readonly record: RaceRecord
  private readonly random: Random

  constructor(process: CacheProcess, record: RaceRecord, random: Random) {
    this.process = process
    this.record = record
    this.random = random
  }

  async play(): Promise<void> {
    while (!this.record.isOver) {
      await this.readOnce()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private async readOnce(): Promise<void> {
    const { process, record, random } = this
    const key = Math.floor(random() * KEYS)
    const group = Math.floor(random() * GROUPS)
    const found = (rows: unknown): RaceRow[] => [rows].flat().filter(Boolean) as RaceRow[]
    const claim = record.claims.at(-1 - Math.floor(random() * 3))
    const kinds: Record<string, () => Promise<void>> = {
      one: () => this.note({ mode: 'bounded' }, async () => found(await process.rows.findOne({ _id: key }))),
      group: () => this.note({ mode: 'bounded' }, async () => found(await questions.group(group)(process.rows))),
      pushed: () =>
        this.note({ mode: 'bounded' }, async () => {
          const [answer] = (await questions.pushed(group)(process.rows)) as { rows: RaceRow[] }[]
          return answer?.rows ?? []
        }),
      counted: () =>
        this.note({ mode: 'bounded' }, async () => {
          await questions.since(key)(process.rows)
          return []
        }),
      strict: () =>
        this.note({ mode: 'strict' }, async () =>
          found(await process.rows.findOne({ _id: key }, { read: 'strict' } as object)),
        ),
      claimed: () =>
        claim === undefined
          ? Promise.resolve()
          : this.note({ mode: 'atLeast', least: claim.row.version }, async () =>
              found(
                await process.rows.findOne({ _id: claim.row.key }, { read: { atLeast: claim.position } } as object),
              ),
            ),
      secondary: () =>
        this.note({ mode: 'bounded', fromStandby: true }, async () =>
          found(await process.onSecondaries.findOne({ _id: key })),
        ),
      // Of the own writes, which a secondary may not have yet.
      'secondary, own': () => {
        const own = record.writes.findLast(({ by, ackedMs }) => by === process.name && ackedMs !== undefined)
        if (own?.version === undefined) return Promise.resolve()
        const claims = { mode: 'atLeast', least: own.version, boundMs: Number.POSITIVE_INFINITY } as const
        return this.note(claims, async () => found(await process.onSecondaries.findOne({ _id: own.key })))
      },
      loaded: () => this.note({ mode: 'bounded', via: 'loader' }, async () => found(await process.load(key))),
    }
    const names = Object.keys(kinds)
    const name = names[Math.floor(random() * names.length)]!
    const beganMs = performance.now()
    const answer = kinds[name]!().catch(() => {
      record.failedReads++
    })
    const isHung = await Promise.race([answer, sleep(HUNG_MS, true, { ref: false })])
    const tookMs = performance.now() - beganMs
    if (isHung === true) record.hung.push(`${process.name}: a read (${name}) had no answer after ${HUNG_MS} ms`)
    record.slowestReadMs = Math.max(record.slowestReadMs, tookMs)
  }

  private async note(more: Partial<Read> & Pick<Read, 'mode'>, ask: () => Promise<RaceRow[]>): Promise<void> {
    const { process, record } = this
    const beganMs = nowMs()
    const { sent } = process
    const rows = await ask()
    const isHit = process.sent === sent
    for (const row of rows) record.reads.push({ ...process.readOf(row, { beganMs, isHit, mode: more.mode }), ...more })
  }
}

/** Writes later and later versions of any row. */
export class Writer {
  private readonly rows: Collection<RaceRow>
  private readonly id: number
  private readonly process: CacheProcess | undefined
  private readonly record: RaceRecord
  private readonly random: Random

  /** @param process whose collection it writes by, if it is a cached one */
  constructor(
    rows: Collection<RaceRow>,
    id: number,
    process: CacheProcess | undefined,
    record: RaceRecord,
    random: Random,
  ) {
    this.rows = rows
    this.id = id
    this.process = process
    this.record = record
    this.random = random
  }

  async play(): Promise<void> {
    while (!this.record.isOver) {
      await this.writeOnce()
      await sleep(this.random() * 2 * WRITE_PAUSE_MS)
    }
  }

  private async writeOnce(): Promise<void> {
    const { record, random, id } = this
    const key = Math.floor(random() * KEYS)
    const beganMs = nowMs()
    const version = versionAt(beganMs, id)
    const write = { key, version, by: this.process?.name, beganMs }
    try {
      const isWritten = await Promise.race([this.put(key, version), sleep(WRITE_MS, undefined, { ref: false })])
      if (isWritten !== false) record.writes.push({ ...write, ackedMs: isWritten === undefined ? undefined : nowMs() })
    } catch {
      record.writes.push({ ...write, ackedMs: undefined })
    }
  }

  /** Whether the row has this version now: another writer may have put a later one. */
  private async put(key: number, version: number): Promise<boolean> {
    const { rows, random, record } = this
    const group = Math.floor(random() * GROUPS)
    const change = { $max: { version }, ...(random() < 1 / MOVES && { $set: { group } }) }
    if (random() < 0.5) return (await rows.updateOne({ _id: key, version: { $lt: version } }, change)).modifiedCount > 0
    const client = (rows as unknown as { client: import('mongodb').MongoClient }).client
    return await client.withSession(async (session) => {
      const { modifiedCount } = await rows.updateOne({ _id: key, version: { $lt: version } }, change, { session })
      const position = await positionOf(client, session)
      if (modifiedCount > 0 && position !== undefined) record.claims.push({ position, row: { key, version } })
      return modifiedCount > 0
    })
  }
}
