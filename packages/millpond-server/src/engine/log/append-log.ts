/** The append-only log: what was changed, as commands, on its way to a file. */
import type { Arguments } from '../arguments.ts'
import { ReplyError } from '../errors.ts'
import { LogBuffer, type Stretch } from './log-buffer.ts'
import type { LogFile } from './log-file.ts'

/** When what was appended reaches the disk: before clients are told, once a second, or when the system likes. */
export type Durability = 'always' | 'everysec' | 'no'

/** One command and its database. */
export interface LogEntry {
  readonly db: number
  readonly args: Arguments
}

const SYNC_EVERY_MS = 1000
/** What was told to clients and is not yet in the system's hands is never older than about this. */
const LATE_MS = 400
const LOOK_EVERY_MS = 50
const RETRY_AFTER_MS = 200
const NOTHING = Buffer.alloc(0)
/** With more than this on its way the disk is too slow: clients wait, whatever the durability. */
const WAITING_BYTES_MAX = 64 * 2 ** 20

/**
 * Group commit: whatever is appended while a stretch is being written and synced makes the next one, so one sync serves all
 * clients of that time, and the slower the disk, the more share it.
 *
 * A disk that is slow makes clients wait, with any durability, so that what can be lost is bounded in time and in bytes.
 *
 * When the file cannot be written, because the disk is full for instance, `fault` says so until it can: what was
 * appended is kept and tried again, and who waited is told of the fault.
 */
export class AppendLog {
  durability: Durability
  /** Why nothing can be written now. */
  fault: ReplyError | undefined
  /** Called when `fault` comes or goes. */
  onFault: (fault: ReplyError | undefined) => void = () => {}
  /** How often the disk has confirmed what was written, and how long that took altogether. */
  syncs = 0
  syncMs = 0
  readonly #buffer = new LogBuffer()
  #file: LogFile
  /** Bytes that were appended, and those of them that are as safe as was asked, since the start. */
  #appended = 0
  #safe = 0
  readonly #waiting: { readonly position: number; readonly run: (fault?: ReplyError) => void }[] = []
  /** The database of the last command; -1: it must be said. */
  #db = -1
  #scheduled = false
  #work: Promise<void> | undefined
  #unsynced = false
  /** What is being written. */
  #flying: Buffer = NOTHING
  /** When the stretch on its way was begun, and whether that was too long ago: then clients wait. */
  #beganAtMs = 0
  #late = false
  readonly #timer: NodeJS.Timeout
  readonly #look: NodeJS.Timeout
  #retry: NodeJS.Timeout | undefined
  #next: LogFile | undefined
  #switched: ((old: LogFile) => void) | undefined
  /** The rest of the old file, while a switch is under way. */
  #held: Stretch | undefined

  constructor(file: LogFile, durability: Durability) {
    this.#file = this.#counted(file)
    this.durability = durability
    this.#timer = setInterval(() => this.#syncNow(), SYNC_EVERY_MS).unref()
    this.#look = setInterval(() => this.#lookAtTime(), LOOK_EVERY_MS).unref()
  }

  /** Bytes of the present file, with those on their way to it. */
  get size(): number {
    return this.#file.size + this.#appended - this.#safe
  }

  /** Whether clients may be told. While there is a fault they may: who wrote was told of it, and others only read. */
  get settled(): boolean {
    if (this.fault !== undefined) return true
    const behind = this.#appended - this.#safe
    return behind === 0 || (this.durability !== 'always' && !this.#late && behind < WAITING_BYTES_MAX)
  }

  /** Calls back once all that was appended until now is as safe as was asked; with the fault, if it can not be written. */
  whenSettled(run: (fault?: ReplyError) => void): void {
    if (this.settled) run()
    else this.#waiting.push({ position: this.#appended, run })
  }

  append(db: number, args: Arguments): void {
    const before = this.#buffer.length
    this.#select(db)
    this.#buffer.command(args)
    this.#added(before)
  }

  /** Commands of which all come back after a crash, or none. */
  appendGroup(entries: readonly LogEntry[]): void {
    const before = this.#buffer.length
    if (entries.every(({ db }) => db === entries[0]!.db)) this.#select(entries[0]!.db)
    this.#buffer.words('MULTI')
    for (const { db, args } of entries) {
      this.#select(db)
      this.#buffer.command(args)
    }
    this.#buffer.words('EXEC')
    this.#added(before)
  }

  /** Goes on in another file: all that was appended before stays in the old one, which is synced. Resolves with it. */
  switchTo(file: LogFile): Promise<LogFile> {
    return new Promise((resolve) => {
      this.#next = this.#counted(file)
      this.#switched = resolve
      // What comes from now on must not be in the old file.
      this.#held = this.#buffer.take()
      this.#db = -1
      this.#schedule()
    })
  }

  /** Writes and syncs what is left, and closes the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearInterval(this.#look)
    while (this.#appended > this.#safe && this.fault === undefined) {
      this.#flush()
      await this.#work
    }
    clearTimeout(this.#retry)
    await this.#file.sync().catch(() => {})
    await this.#file.close()
  }

  /** Resolves when all that was appended is written, synced or not; rejects with the fault. */
  written(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#appended === this.#safe) resolve()
      else if (this.fault) reject(this.fault)
      else this.#waiting.push({ position: this.#appended, run: (fault) => (fault ? reject(fault) : resolve()) })
    })
  }

  /** Resolves when all that was appended is on the disk. */
  async synced(): Promise<void> {
    await this.written()
    await this.#file.sync()
  }

  /** Writes what is on its way at once, so that the file can be read. */
  spill(): void {
    const { length } = this.#flying
    this.#file.writeNow(this.#flying, this.#file.size)
    this.#file.writeNow(this.#buffer.waiting, this.#file.size + length)
  }

  #counted(file: LogFile): LogFile {
    file.onSync = (ms) => {
      this.syncs++
      this.syncMs += ms
    }
    return file
  }

  #select(db: number): void {
    if (db === this.#db) return
    this.#db = db
    this.#buffer.words('SELECT', String(db))
  }

  #added(before: number): void {
    this.#appended += this.#buffer.length - before
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#work !== undefined || this.fault) return
    this.#scheduled = true
    // After all that has come in this turn was executed.
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#work !== undefined || (this.#buffer.length === 0 && this.#next === undefined)) return
    const stretch = this.#held ?? this.#buffer.take()
    const ends = this.#next !== undefined
    this.#beganAtMs = performance.now()
    this.#flying = stretch.bytes
    this.#work = this.#write(stretch, ends).then(() => {
      this.#work = undefined
      this.#flying = NOTHING
      if (!ends) this.#buffer.reuse(stretch)
      if (this.#buffer.length > 0 || this.#next !== undefined) this.#flush()
    })
  }

  /** Writes a stretch, and tells who waits. Tries again for as long as it takes. */
  async #write({ bytes, length }: Stretch, ends: boolean): Promise<void> {
    const synced = this.durability === 'always' || ends
    for (;;) {
      try {
        await this.#file.append(bytes, synced)
        break
      } catch (error) {
        this.#fail(error)
        await new Promise((resolve) => (this.#retry = setTimeout(resolve, RETRY_AFTER_MS)))
      }
    }
    this.#unsynced = !synced
    this.#safe += length
    if (this.fault) this.#heal()
    if (ends) this.#switch()
    while (this.#waiting.length > 0 && this.#waiting[0]!.position <= this.#safe) this.#waiting.shift()!.run()
  }

  #switch(): void {
    const old = this.#file
    this.#file = this.#next!
    this.#next = this.#held = undefined
    this.#switched!(old)
  }

  #fail(error: unknown): void {
    const { message, code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOSPC' ? 'No space left on device' : message
    const isNew = this.fault === undefined
    this.fault = new ReplyError(`Errors writing to the AOF file: ${reason}`, 'MISCONF')
    if (isNew) this.onFault(this.fault)
    for (const { run } of this.#waiting.splice(0)) run(this.fault)
  }

  #heal(): void {
    this.fault = undefined
    this.onFault(undefined)
  }

  #lookAtTime(): void {
    this.#late = this.#work !== undefined && performance.now() - this.#beganAtMs > LATE_MS
  }

  #syncNow(): void {
    if (this.durability !== 'everysec' || !this.#unsynced) return
    this.#unsynced = false
    const file = this.#file
    file.sync().then(
      () => {
        if (this.fault === undefined || this.#work !== undefined) return
        this.#heal()
        this.#schedule()
      },
      (error: unknown) => {
        if (file !== this.#file) return
        this.#unsynced = true
        this.#fail(error)
      },
    )
  }
}
