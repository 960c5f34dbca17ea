/** A log with flipped and torn bytes: it is read up to the tear, or refused with the place of the damage; never is a wrong value served. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestService } from '../../../../packages/millpond-server/src/commands/testing.ts'
import { LogError } from '../../../../packages/millpond-server/src/engine/log/log-error.ts'
import { exactly, type Row, row, type SuiteContext } from '../../suite.ts'

const KEYS = 200

interface Tally {
  cut: number
  refused: number
  unharmed: number
  /** Cut exactly where a stretch ends, or between the commands of the very first: there is nothing to see. */
  shorter: number
  wrong: number
  silent: number
}

export async function damaged(context: SuiteContext, rounds: number, random: () => number): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millpond-damage-'))
  const path = join(dir, 'appendonlydir', 'appendonly.aof.1.incr.aof')
  const rows: Row[] = []
  try {
    await makeLog(dir)
    const whole = readFileSync(path)
    const kinds = {
      'torn at its end': () => whole.subarray(0, Math.floor(random() * whole.length)),
      'with a byte flipped': () => flipped(whole, random),
    }
    for (const [kind, damage] of Object.entries(kinds)) {
      const tally: Tally = { cut: 0, refused: 0, unharmed: 0, shorter: 0, wrong: 0, silent: 0 }
      for (let round = 0; round < rounds; round++) {
        if (round % 100 === 0) context.progress(`damage: ${kind}, ${round} of ${rounds}`)
        writeFileSync(path, damage())
        await judge(dir, path, tally)
      }
      rows.push(...rowsOf(`of ${rounds} logs ${kind}:`, tally))
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  return rows
}

function rowsOf(of: string, tally: Tally): Row[] {
  return [
    row(`${of} read to the tear, which was told`, tally.cut, 'logs'),
    row(`${of} refused, with the place`, tally.refused, 'logs'),
    row(`${of} nothing was lost`, tally.unharmed, 'logs'),
    row(`${of} cut exactly between stretches, which nobody can see`, tally.shorter, 'logs'),
    row(`${of} something was lost and nothing said`, tally.silent, 'logs', exactly(0)),
    row(`${of} wrong values`, tally.wrong, 'logs', exactly(0)),
  ]
}

function flipped(whole: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(whole)
  bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8)
  return bytes
}

async function serviceOn(dir: string): Promise<TestService> {
  const service = new TestService()
  service.configuration.set([
    ['dir', dir],
    ['appendonly', 'yes'],
    ['appendfsync', 'no'],
  ])
  await service.persistence.start()
  return service
}

const textOf = (at: number): string => `value ${at} `.repeat(1 + (at % 30))

/** One key after the other, in stretches of different lengths. */
async function makeLog(dir: string): Promise<void> {
  const service = await serviceOn(dir)
  const client = service.client()
  for (let at = 0; at < KEYS; at++) {
    client.run('set', `key:${at}`, textOf(at))
    if (at % 7 === 0) await service.persistence.log.log!.written()
  }
  for (const end of service.endings) await end()
}

async function judge(dir: string, path: string, tally: Tally): Promise<void> {
  const endsWhole = endsWithMark(path)
  const service = await quietly(() => serviceOn(dir)).catch((error: unknown) => error)
  if (service instanceof LogError) {
    if (service.file === path && service.offset >= 0) tally.refused++
    else tally.silent++
    return
  }
  if (!(service instanceof TestService)) throw service
  const client = service.client()
  const present = Array.from({ length: KEYS }, (_, at) => client.run('get', `key:${at}`))
  for (const end of service.endings) await end()
  const count = present.indexOf(null)
  const there = count === -1 ? KEYS : count
  const { torn, unmarked } = service.persistence.loaded!
  if (present.some((value, at) => value !== (at < there ? textOf(at) : null))) tally.wrong++
  else if (there === KEYS) tally.unharmed++
  else if (endsWhole) tally.shorter++
  else if (torn === undefined && unmarked === 0) tally.silent++
  else tally.cut++
}

function endsWithMark(path: string): boolean {
  const text = readFileSync(path, 'latin1')
  return /\n#MP:[\da-f]{8}:\d+\r\n$/.test(text) || !text.includes('#MP:')
}

/** What was cut off is told on stderr: here a thousand times. */
async function quietly<R>(run: () => Promise<R>): Promise<R> {
  const { write } = process.stderr
  process.stderr.write = () => true
  try {
    return await run()
  } finally {
    process.stderr.write = write
  }
}
