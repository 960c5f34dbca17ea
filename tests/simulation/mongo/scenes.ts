/** What must not go wrong, one scene each, played step by step: the races that a storm meets only now and then. */
import { MongoClient } from 'mongodb'
import { type MongoTestServer, startMongo } from '../../../tools/servers/mongo.ts'
import { until } from '../../../tools/servers/until.ts'
import { CacheProcess, type RaceRow, settleRows } from './cache-process.ts'
import type { Mutant } from './mutants.ts'

const KEY = 3
const OLD = 0
const NEW = 7
/** What is kept is served however busy the machine is: else a scene would be played to the database. */
const BOUND_MS = 20_000

interface Stage {
  readonly server: MongoTestServer
  readonly process: CacheProcess
  /** Writes by somebody whom no cache knows. */
  write(version: number): Promise<unknown>
  /** Waits until the feed has told all there is. */
  told(): Promise<void>
}

/** A scene gives the version that is read in the end, which has to be the one that the database has. */
type Scene = (stage: Stage) => Promise<{ readonly read: number; readonly right: number }>

export const scenes = {
  'no afterClusterTime': async ({ server, process, write, told }) => {
    await process.onSecondaries.findOne({ _id: KEY })
    for (const secondary of server.secondaries) secondary.hold()
    await write(NEW)
    await told()
    const isAsked = nextFind(server)
    const early = process.onSecondaries.findOne({ _id: KEY })
    await isAsked()
    for (const secondary of server.secondaries) secondary.release()
    await early
    return { read: versionOf(await process.onSecondaries.findOne({ _id: KEY })), right: NEW }
  },

  'no mark on loads under way': async ({ server, process, write, told }) => {
    let answer!: () => void
    const isLate = new Promise<void>((resolve) => {
      answer = resolve
    })
    server.fail({ command: 'find', late: () => isLate })
    const isAsked = nextFind(server)
    const early = process.rows.findOne({ _id: KEY })
    await isAsked()
    await write(NEW)
    await told()
    answer()
    await early
    return { read: versionOf(await process.rows.findOne({ _id: KEY })), right: NEW }
  },

  'a lost history is passed over': lostHistory,
  'a lost token is kept': lostHistory,

  'elections are not seen': async ({ server, process, write, told }) => {
    server.holdMajority(true)
    void write(NEW).catch(() => {})
    // The loader reads what the primary has, and no majority.
    await until('the write is there', async () => versionOf(await process.load(KEY)) === NEW || forget(process))
    server.elect()
    server.holdMajority(false)
    await told()
    return { read: versionOf(await process.load(KEY)), right: OLD }
  },
} satisfies Record<Mutant, Scene>

/** Plays a scene; says what is wrong in the end, if anything is. */
export async function playScene(name: Mutant, mutant: Mutant | undefined): Promise<string[]> {
  const server = await startMongo({ secondaries: 1 })
  const outsider = new MongoClient(server.url, { retryWrites: false })
  const process = new CacheProcess('a', server.url, mutant, BOUND_MS)
  try {
    await settleRows(outsider, 12, 4)
    await process.start()
    const rows = outsider.db().collection<RaceRow>('rows')
    const scene: Scene = scenes[name]
    const { read, right } = await scene({
      server,
      process,
      write: (version) => rows.updateOne({ _id: KEY }, { $set: { version } }),
      told: () => until('the feed has told all there is', () => process.isUpToDate(), 8000),
    })
    return read === right ? [] : [`${name}: version ${read} was read, the database has ${right}`]
  } catch (error) {
    return [`${name}: ${String(error)}`]
  } finally {
    await process.close()
    await outsider.close()
    await server.close()
  }
}

async function lostHistory({ server, process, write, told }: Stage) {
  await process.rows.findOne({ _id: KEY })
  server.pauseStreams(true)
  await write(NEW)
  server.rollOver()
  server.pauseStreams(false)
  await told()
  return { read: versionOf(await process.rows.findOne({ _id: KEY })), right: NEW }
}

/** Waits until the server has one more `find` than now. */
function nextFind({ commands }: MongoTestServer): () => Promise<void> {
  const before = commands.get('find') ?? 0
  return () => until('the server is asked', () => Promise.resolve((commands.get('find') ?? 0) > before))
}

async function forget(process: CacheProcess): Promise<boolean> {
  await process.cache.clear()
  return false
}

function versionOf(row: RaceRow | null): number {
  return row?.version ?? Number.NaN
}
