import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { JournalError } from '../core/errors.ts'
import type { JournalFs } from './journal-fs.ts'

/** Lock files that this process holds: after a crash a new process may have the number of the old one. */
const held = new Set<string>()

/**
 * Takes the lock beside `path`, so that two processes never write one journal, and returns what gives it back. The lock
 * of a process that is gone (same machine, and no process of that number that started at that time) is taken over.
 *
 * @throws JournalError (`ERR_JOURNAL`) when it is held by a living process, or by one on another machine
 */
export async function lockJournal(path: string, fs: JournalFs): Promise<() => Promise<void>> {
  const lock = resolve(`${path}.lock`)
  const owner: Owner = { pid: process.pid, started: await startOf(process.pid, fs), host: hostname(), id: randomUUID() }
  // A second try, because a lock that was stale may be gone or taken when we come to it.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await create(lock, owner, fs)) {
      held.add(lock)
      return async () => {
        held.delete(lock)
        await fs.unlink(lock)
      }
    }
    const other = await readOwner(lock, fs)
    if (other && (await isAlive(other, lock, fs))) throw heldBy(path, other)
    if (other) await takeAway(lock, other, fs)
  }
  throw new JournalError(path, 'its lock was taken by another process at the same moment')
}

interface Owner {
  readonly pid: number
  /** When the process started, in the words of the system; `undefined` where it does not tell. */
  readonly started: string | undefined
  readonly host: string
  readonly id: string
}

async function create(lock: string, owner: Owner, fs: JournalFs): Promise<boolean> {
  try {
    const file = await fs.open(lock, 'wx')
    try {
      await file.appendFile(JSON.stringify(owner))
    } finally {
      await file.close()
    }
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new JournalError(lock, 'the lock cannot be written', { cause })
  }
}

/** Who holds the lock. A lock without a name in it was cut off by a crash: it belongs to nobody. */
async function readOwner(lock: string, fs: JournalFs): Promise<Partial<Owner> | undefined> {
  try {
    const text = await fs.readFile(lock)
    return text.length > 0 ? (JSON.parse(text.toString()) as Owner) : {}
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : {}
  }
}

async function isAlive({ pid, started, host }: Partial<Owner>, lock: string, fs: JournalFs): Promise<boolean> {
  if (pid === undefined) return false
  if (host !== hostname()) return true
  if (pid === process.pid) return held.has(lock)
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return started === undefined || started === (await startOf(pid, fs))
}

/** Moves a stale lock aside in one step; puts it back if it is not the one that was judged. */
async function takeAway(lock: string, stale: Partial<Owner>, fs: JournalFs): Promise<void> {
  const aside = `${lock}.${randomUUID()}`
  try {
    await fs.rename(lock, aside)
  } catch {
    return
  }
  if ((await readOwner(aside, fs))?.id === stale.id) await fs.unlink(aside)
  else await fs.rename(aside, lock)
}

/** The start time of a process, where /proc tells it: a number alone may have been given again. */
async function startOf(pid: number, fs: JournalFs): Promise<string | undefined> {
  try {
    const stat = (await fs.readFile(`/proc/${pid}/stat`)).toString()
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function heldBy(path: string, { pid, host }: Partial<Owner>): JournalError {
  const advice =
    host === hostname() ? 'give each process a journal of its own' : `if that machine is gone, remove ${path}.lock`
  return new JournalError(path, `it is in use by process ${pid} on ${host}; ${advice}`)
}
