import { dirname } from 'node:path'
import { ClosedError, JournalError } from '../core/errors.ts'
import type { Journal, JournalRecord } from '../core/journal.ts'
import { type Size, sizeBytes } from '../core/size.ts'
import { encodeFrame, type FrameRecord, HEADER, scanFrames } from './journal-file-format.ts'
import { type JournalFile, type JournalFs, nodeFs } from './journal-fs.ts'
import { lockJournal } from './journal-lock.ts'

export type { Journal, JournalRecord } from '../core/journal.ts'
export type { JournalFile, JournalFs } from './journal-fs.ts'

/** Options of `fileJournal`. */
export interface FileJournalOptions {
  /** Where the file is, or will be made; its folder must exist. `path.lock` beside it keeps a second process out. */
  path: string
  /**
   * The file is written anew when it is larger than this and more than half of it is settled. Smaller: less disk, more
   * rewriting. Default `'1mb'`.
   */
  compactAbove?: Size
  /** Told when a crash had cut the last write short, and its bytes were removed. Default: a warning of the process. */
  onTornTail?: (tail: TornTail) => void
  /** Default: that of the machine. */
  fs?: JournalFs
}

/** Bytes at the end of a file that were never acknowledged. */
export interface TornTail {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

/**
 * A journal in a file that only grows, for `writeBehind({ journal: fileJournal({ path }) })`.
 *
 * An append is acknowledged once it is on disk (`fdatasync`); appends that come meanwhile share the next flush. A write
 * that fails rejects and is taken off the file again; after a failed flush nobody knows what the disk holds, so the
 * journal takes no more until it is opened anew. A crash may cut off the last write, which was not acknowledged: it is
 * removed and told. Damage anywhere else is refused with `JournalError`, which names its offset, and nothing is changed.
 */
export function fileJournal(options: FileJournalOptions): Journal {
  return new FileJournal(options)
}

/** Work for the next flush. */
interface Task {
  readonly record: FrameRecord
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

class FileJournal implements Journal {
  readonly #path: string
  readonly #fs: JournalFs
  #compactAboveBytes: number
  readonly #onTornTail: (tail: TornTail) => void
  /** What is not settled, by sequence, oldest first. */
  readonly #live = new Map<number, FrameRecord>()
  #liveBytes = 0
  #bytes = 0
  #file: JournalFile | undefined
  #unlock: (() => Promise<void>) | undefined
  #tasks: Task[] = []
  #flushing: Promise<void> | undefined
  #broken: JournalError | undefined
  #closed = false

  constructor({ path, fs = nodeFs, compactAbove = '1mb', onTornTail = warn }: FileJournalOptions) {
    this.#path = path
    this.#fs = fs
    this.#compactAboveBytes = sizeBytes(compactAbove, 'compactAbove')
    this.#onTornTail = onTornTail
  }

  async open(): Promise<readonly JournalRecord[]> {
    if (this.#unlock) throw new JournalError(this.#path, 'it is open already; one journal serves one source')
    const unlock = await lockJournal(this.#path, this.#fs)
    this.#unlock = unlock
    try {
      await this.#load()
    } catch (error) {
      this.#unlock = undefined
      await this.#file?.close()
      this.#file = undefined
      await unlock()
      throw error instanceof JournalError ? error : this.#error('it cannot be opened', error)
    }
    return Array.from(this.#live.values(), ([sequence, key, value]) => ({ sequence, key: key!, value: value! }))
  }

  append({ sequence, key, value }: JournalRecord): Promise<void> {
    return this.#add([sequence, key, value])
  }

  async settle(sequences: readonly number[]): Promise<void> {
    await Promise.all(sequences.map((sequence) => this.#add([sequence])))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flushing
    await this.#file?.close()
    await this.#unlock?.()
  }

  #add(record: FrameRecord): Promise<void> {
    if (this.#closed || !this.#file) return Promise.reject(new ClosedError(`the journal ${this.#path}`))
    return new Promise((done, fail) => {
      this.#tasks.push({ record, done, fail })
      this.#flushing ??= this.#flush()
    })
  }

  /** Writes what waits, as often as something does. */
  async #flush(): Promise<void> {
    // What is added in this same tick shares the first write.
    await Promise.resolve()
    while (this.#tasks.length > 0) {
      const tasks = this.#tasks
      this.#tasks = []
      try {
        await this.#write(tasks.map((task) => task.record))
        for (const task of tasks) task.done()
      } catch (error) {
        for (const task of tasks) task.fail(error)
      }
    }
    this.#flushing = undefined
  }

  async #write(records: readonly FrameRecord[]): Promise<void> {
    if (this.#broken) throw this.#broken
    const frame = encodeFrame(records)
    await this.#append(frame)
    // To settle is no promise: if it is lost, the write is delivered once more.
    if (records.some(isAppend)) await this.#sync(() => this.#file!.datasync())
    this.#bytes += frame.length
    for (const record of records) this.#note(record)
    if (this.#bytes > this.#compactAboveBytes && this.#bytes > 2 * this.#liveBytes) await this.#compact()
  }

  async #append(frame: Buffer): Promise<void> {
    try {
      await this.#file!.appendFile(frame)
    } catch (cause) {
      const error = this.#error('a write failed; it was not accepted', cause)
      try {
        await this.#file!.truncate(this.#bytes)
      } catch {
        this.#broken = error
      }
      throw error
    }
  }

  async #sync(sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (cause) {
      this.#broken = this.#error(
        'a flush to disk failed; what the disk holds is unknown until it is opened anew',
        cause,
      )
      throw this.#broken
    }
  }

  #note(record: FrameRecord): void {
    const [sequence] = record
    const known = this.#live.get(sequence)
    if (known) this.#liveBytes -= bytesOf(known)
    if (isAppend(record)) {
      this.#live.set(sequence, record)
      this.#liveBytes += bytesOf(record)
    } else this.#live.delete(sequence)
  }

  async #load(): Promise<void> {
    const bytes = await this.#read()
    const { records, end, damaged } = scanFrames(bytes)
    if (damaged) {
      const advice = 'it is damaged there and goes on behind it; restore it, or move it away and lose what it holds'
      throw new JournalError(this.#path, `at byte ${end}: ${advice}`, { offset: end })
    }
    for (const record of records) this.#note(record)
    this.#file = await this.#fs.open(this.#path, 'a')
    this.#bytes = end
    if (end < bytes.length) {
      await this.#file.truncate(end)
      this.#onTornTail({ path: this.#path, offset: end, bytes: bytes.length - end })
    }
    if (end === 0) {
      await this.#file.appendFile(HEADER)
      this.#bytes = HEADER.length
    }
    await this.#file.sync()
    await this.#syncFolder()
  }

  async #read(): Promise<Buffer> {
    try {
      return await this.#fs.readFile(this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
      throw error
    }
  }

  /** Writes what is live to a new file, which then takes the place of the old one in one step. */
  async #compact(): Promise<void> {
    const path = `${this.#path}.new`
    const content = Buffer.concat([HEADER, ...(this.#live.size > 0 ? [encodeFrame([...this.#live.values()])] : [])])
    let file: JournalFile | undefined
    try {
      await this.#fs.unlink(path).catch(() => {})
      file = await this.#fs.open(path, 'a')
      await file.appendFile(content)
      await file.sync()
      await this.#fs.rename(path, this.#path)
    } catch {
      // The old file is whole and goes on until it is twice as large.
      this.#compactAboveBytes = 2 * this.#bytes
      await file?.close().catch(() => {})
      return
    }
    await this.#file!.close().catch(() => {})
    this.#file = file
    this.#bytes = content.length
    // What was acknowledged is in the old file and in the new one; what comes next would be in one that may have no name.
    await this.#sync(() => this.#syncFolder()).catch(() => {})
  }

  /** A new name is on disk when its folder is. */
  async #syncFolder(): Promise<void> {
    const folder = await this.#fs.open(dirname(this.#path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  #error(reason: string, cause: unknown): JournalError {
    return new JournalError(this.#path, `${reason} (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    })
  }
}

function isAppend(record: FrameRecord): boolean {
  return record[1] !== undefined
}

/** About the bytes of a record in a file; only proportions matter. */
function bytesOf([, key = '', value = '']: FrameRecord): number {
  return 20 + key.length + value.length
}

function warn({ path, offset, bytes }: TornTail): void {
  process.emitWarning(
    `the journal ${path} ended in a write that a crash cut short: ${bytes} bytes were removed at ${offset}`,
  )
}
