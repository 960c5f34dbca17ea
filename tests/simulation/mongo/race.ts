/**
 * Writers and readers on one MongoDB, by two processes with a cache each and by somebody whom no cache knows, while things go
 * wrong. What they saw is a history for the judge of ../fresh; the server is the test server, which does as it is told.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import { startMongo } from '../../../tools/servers/mongo.ts'
import type { Disaster, Read, Row, Write } from '../fresh/history.ts'
import { judge, type Verdict } from '../fresh/judge.ts'
import { CacheProcess, type RaceRow, settleRows } from './cache-process.ts'
import { type FaultName, faults } from './faults.ts'
import type { Mutant } from './mutants.ts'
import { Reader, Writer } from './players.ts'

export interface RaceOptions {
  readonly seed: number
  readonly seconds: number
  /** Default: all. */
  readonly faults?: readonly FaultName[]
  readonly mutant?: Mutant
}

export interface RaceOutcome {
  readonly verdict: Verdict
  /** Answers at rest that are not what the server says, and processes that were not live again. */
  readonly wrongAtRest: readonly string[]
  /** Reads that were given up after `HUNG_MS`. */
  readonly hung: readonly string[]
  readonly slowestReadMs: number
  readonly failedReads: number
  readonly writes: number
  readonly faults: Readonly<Record<string, number>>
}

export const KEYS = 12
export const GROUPS = 4
/** A read is answered sooner, whatever goes wrong: not even a busy machine needs so long. */
export const HUNG_MS = 20_000

/** What all players know. */
export interface RaceRecord {
  readonly writes: Write[]
  readonly reads: Read[]
  /** Positions of writes, for readers who want to see them. */
  readonly claims: { readonly position: string; readonly row: Row }[]
  readonly hung: string[]
  slowestReadMs: number
  failedReads: number
  isOver: boolean
}

export async function runRace(options: RaceOptions): Promise<RaceOutcome> {
  const { seed, seconds, mutant } = options
  const random = seededRandom(seed)
  const server = await startMongo({ secondaries: 2 })
  const outsider = new MongoClient(server.url)
  const survivors: Row[] = []
  server.onCommit(({ collection, after }) => {
    if (collection === 'rows' && after) survivors.push({ key: Number(after._id), version: Number(after.version) })
  })
  // Some reads are answered late, as on any network: events overtake them.
  server.fail({ command: 'find', times: Number.POSITIVE_INFINITY, late: () => sleep(40), where: () => random() < 0.2 })
  const record: RaceRecord = {
    writes: [],
    reads: [],
    claims: [],
    hung: [],
    slowestReadMs: 0,
    failedReads: 0,
    isOver: false,
  }
  const processes = ['a', 'b'].map((name) => new CacheProcess(name, server.url, mutant))
  try {
    await settleRows(outsider, KEYS, GROUPS)
    for (const process of processes) await process.start()
    const plain = outsider.db().collection<RaceRow>('rows')
    const players = [
      ...processes.flatMap((process) => [0, 1, 2].map(() => new Reader(process, record, random).play())),
      ...processes.map((process, at) => new Writer(process.rows, at, process, record, random).play()),
      new Writer(plain, 2, undefined, record, random).play(),
    ]
    const names = options.faults ?? (Object.keys(faults) as FaultName[])
    const { played, disasters } = await playFaults(names)
    record.isOver = true
    await Promise.all(players)
    const wrongAtRest = (await Promise.all(processes.map((process) => process.faultsAtRest(plain, record)))).flat()
    const final = (await plain.find().toArray()).map(({ _id, version }) => ({ key: _id, version }))
    const { writes, reads, hung, slowestReadMs, failedReads } = record
    const verdict = judge({ writes, reads, disasters, survivors, final })
    return { verdict, wrongAtRest, hung, slowestReadMs, failedReads, writes: writes.length, faults: played }
  } finally {
    record.isOver = true
    for (const process of processes) await process.close()
    await outsider.close()
    await server.close()
  }

  async function playFaults(names: readonly FaultName[]) {
    const endMs = performance.now() + seconds * 1000
    const played: Record<string, number> = {}
    const disasters: Disaster[] = []
    while (performance.now() < endMs) {
      await sleep(300 + random() * 900)
      const name = names[Math.floor(random() * names.length)]!
      const undone = await faults[name](server, 100 + random() * 400)
      if (undone) disasters.push({ ...undone, server: 'the primary', survivors: [...survivors] })
      played[name] = (played[name] ?? 0) + 1
    }
    return { played, disasters }
  }
}
