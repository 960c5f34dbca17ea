/** A disk that is full: a file system in memory of a few megabytes, which needs root to be mounted. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MillpondServer, startMillpond } from '../../../../tools/servers/millpond.ts'
import { until } from '../../../../tools/servers/until.ts'
import { exactly, type Row, row, type SuiteContext } from '../../suite.ts'

const DISK_BYTES = 8 * 2 ** 20
const BALLAST_BYTES = 4 * 2 ** 20

interface Tally {
  acknowledged: number
  refused: number
  lost: number
  unread: number
}

export async function filled(context: SuiteContext, rounds: number, random: () => number): Promise<Row[]> {
  if (process.getuid?.() !== 0) {
    context.note('disk: not run, since only root may mount a small file system')
    return []
  }
  const tally: Tally = { acknowledged: 0, refused: 0, lost: 0, unread: 0 }
  for (let round = 0; round < rounds; round++) {
    context.progress(`disk: full for the time ${round + 1} of ${rounds}`)
    await onSmallDisk((dir) => fillOnce(dir, tally, random))
  }
  const of = `of ${rounds} full disks, append always:`
  return [
    row(`${of} writes acknowledged`, tally.acknowledged, 'commands'),
    row(`${of} writes refused with MISCONF`, tally.refused, 'commands'),
    row(`${of} reads that failed meanwhile`, tally.unread, 'commands', exactly(0)),
    row(`${of} acknowledged and lost after kill -9`, tally.lost, 'commands', exactly(0)),
  ]
}

async function onSmallDisk(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'millpond-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir])
  try {
    await use(dir)
  } finally {
    execFileSync('umount', ['--lazy', dir])
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Fills the disk, frees it, fills it again, kills the server, and counts what is there. */
async function fillOnce(dir: string, tally: Tally, random: () => number): Promise<void> {
  const server = await startMillpond(['--append', 'always', '--memory', '64mb', '--dir', dir])
  const kept = new Map<string, string>()
  try {
    const ballast = join(dir, 'ballast')
    writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES))
    await writeUntilRefused(server, kept, tally, random)
    await readAll(server, kept, tally)
    rmSync(ballast)
    await until('there is room again', async () => (await write(server, kept, 'again', 'value')) === undefined)
    await writeUntilRefused(server, kept, tally, random)
    await server.kill9()
    await server.restart()
    for (const [key, value] of kept) if ((await server.command('GET', key)) !== value) tally.lost++
  } finally {
    await server.destroy()
  }
}

async function writeUntilRefused(
  server: MillpondServer,
  kept: Map<string, string>,
  tally: Tally,
  random: () => number,
): Promise<void> {
  for (let refused = 0; refused < 3; ) {
    const value = String.fromCharCode(97 + Math.floor(random() * 26)).repeat(1 + Math.floor(random() * 40_000))
    const error = await write(server, kept, `key:${Math.floor(random() * 500)}`, value)
    if (error === undefined) tally.acknowledged++
    else if (!error.startsWith('MISCONF')) throw new Error(error)
    else {
      refused++
      tally.refused++
    }
  }
}

/** What is wrong; `undefined`: it was acknowledged. A key whose write was refused may have either value. */
async function write(
  server: MillpondServer,
  kept: Map<string, string>,
  key: string,
  value: string,
): Promise<string | undefined> {
  try {
    await server.command('SET', key, value)
    kept.set(key, value)
    return undefined
  } catch (error) {
    kept.delete(key)
    return (error as Error).message
  }
}

async function readAll(server: MillpondServer, kept: Map<string, string>, tally: Tally): Promise<void> {
  for (const [key, value] of kept) {
    const read = await server.command('GET', key).catch(() => undefined)
    if (read !== value) tally.unread++
  }
}
