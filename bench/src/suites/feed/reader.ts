/**
 * One contender of the reads, in its own process: one reader alone, a loop of hits, and 128 readers while rows are written. There
 * it also finds out how old what it was given is.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import pg from 'pg'
import type { Contender } from '../../alternate.ts'
import { quantile } from '../../statistics.ts'
import { atPace } from './pace.ts'
import { ways } from './ways.ts'

export interface Argument {
  readonly way: string
  readonly url: string
  /** How long each of the three parts lasts. */
  readonly partMs: number
}

const KEYS = 500
const READERS = 128
const WRITES_PER_SECOND = 200
/** Reads in a row, before the process looks after its sockets. */
const READS_A_TURN = 32

export async function prepare({ way, url, partMs }: Argument): Promise<Contender> {
  const { read, close } = await ways[way]!(url)
  const writer = new pg.Pool({ connectionString: url, max: 4 })
  const versions = await History.begin(writer)
  const check = versions.check.bind(versions)
  let next = 0
  const nextId = (): number => (next = (next + 7) % KEYS)
  const readChecked = async (): Promise<void> => {
    const id = nextId()
    const beganAtMs = performance.now()
    check(id, await read(id), beganAtMs)
  }
  return {
    name: way,
    async turn() {
      for (let id = 0; id < KEYS; id++) await read(id)
      const alone = await aloneP50(readChecked, partMs)
      const hits = await loop(() => read(nextId()), partMs)
      versions.forget()
      const [rate] = await Promise.all([together(readChecked, partMs), versions.write(partMs)])
      return { alone, hits, rate, ...versions.report() }
    },
    async close() {
      await writer.end()
      await close()
    },
  }
}

/** When which version of a row was acknowledged: tells how long ago what a reader was given was replaced. */
class History {
  private readonly writer: pg.Pool
  private readonly acknowledgedAtMs: number[][]
  private readonly newest: number[]
  private readonly ages: number[] = []
  private reads = 0

  static async begin(writer: pg.Pool): Promise<History> {
    const { rows } = await writer.query<{ version: number }>(`SELECT version FROM items WHERE id < ${KEYS} ORDER BY id`)
    return new History(
      writer,
      rows.map(({ version }) => version),
    )
  }

  constructor(writer: pg.Pool, newest: number[]) {
    this.writer = writer
    this.newest = newest
    this.acknowledgedAtMs = newest.map(() => [])
  }

  forget(): void {
    this.ages.length = 0
    this.reads = 0
  }

  async write(forMs: number): Promise<void> {
    await atPace(WRITES_PER_SECOND, forMs, async (count) => {
      const id = (count * 131) % KEYS
      // Contenders write in turns: the version is the table's, not ours.
      const { rows } = await this.writer.query<{ version: number }>({
        name: 'w',
        text: 'UPDATE items SET version = version + 1 WHERE id = $1 RETURNING version',
        values: [id],
      })
      const [{ version } = { version: 0 }] = rows
      this.newest[id] = version
      this.acknowledgedAtMs[id]![version] = performance.now()
    })
  }

  /** A version below one that was acknowledged before the read began is stale. */
  check(id: number, version: number, beganAtMs: number): void {
    this.reads++
    const replacedAtMs = this.acknowledgedAtMs[id]![version + 1]
    if (replacedAtMs !== undefined && replacedAtMs < beganAtMs) this.ages.push(beganAtMs - replacedAtMs)
  }

  report(): { stale: number; oldestMs: number; staleP99Ms: number } {
    const stale = (this.ages.length / this.reads) * 100
    if (this.ages.length === 0) return { stale, oldestMs: 0, staleP99Ms: 0 }
    return {
      stale,
      oldestMs: this.ages.reduce((one, other) => Math.max(one, other)),
      staleP99Ms: quantile(this.ages, 0.99),
    }
  }
}

/** Microseconds. */
async function aloneP50(read: () => Promise<void>, forMs: number): Promise<number> {
  const times: number[] = []
  const endMs = performance.now() + forMs
  for (let beganAtMs = performance.now(); beganAtMs < endMs; beganAtMs = performance.now()) {
    await read()
    times.push((performance.now() - beganAtMs) * 1000)
    if (times.length % READS_A_TURN === 0) await nextTurn()
  }
  return quantile(times, 0.5)
}

/** Reads a second of one loop, nothing else going on. */
async function loop(read: () => Promise<unknown>, forMs: number): Promise<number> {
  const beganAtMs = performance.now()
  let count = 0
  while (performance.now() - beganAtMs < forMs) {
    for (let inTurn = 0; inTurn < READS_A_TURN * 32; inTurn++) await read()
    count += READS_A_TURN * 32
    await nextTurn()
  }
  return (count * 1000) / (performance.now() - beganAtMs)
}

/** Reads a second of all readers. */
async function together(read: () => Promise<void>, forMs: number): Promise<number> {
  const beganAtMs = performance.now()
  let count = 0
  const reader = async (): Promise<void> => {
    while (performance.now() - beganAtMs < forMs) {
      for (let inTurn = 0; inTurn < READS_A_TURN; inTurn++) await read()
      count += READS_A_TURN
      await nextTurn()
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return (count * 1000) / (performance.now() - beganAtMs)
}
