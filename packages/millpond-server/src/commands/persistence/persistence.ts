/** What a service keeps on disk: RDB files, and the append-only log. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ReplyError } from '../../engine/errors.ts'
import type { Service } from '../service.ts'
import { KeptLog, type StoredFile } from './kept-log.ts'
import { type Replayed, replayFile } from './replay.ts'
import { saveAtOnce, saveInSteps } from './snapshot.ts'

/** What was found at the start. */
export interface Loaded {
  readonly keys: number
  readonly commands: number
  readonly expired: number
  /** What was torn off at the end of the log, and cut. */
  readonly torn: string | undefined
  /** Bytes at the end of the log that nobody had confirmed: they are kept. What was there behind them, if anything, is not known. */
  readonly unmarked: number
}

interface BackgroundSave {
  readonly beganAtMs: number
  readonly stopping: AbortController
}

/** How often it is looked whether a rewrite or a save is due. */
const LOOK_EVERY_MS = 1000

export class Persistence {
  readonly #service: Service
  /** Facts for INFO. Times are milliseconds, -1 where there is none. */
  lastSaveAtMs: number
  lastSaveTookMs = -1
  lastSaveFailed = false
  saves = 0
  loaded: Loaded | undefined
  readonly log: KeptLog
  #savedChanges = 0
  /** It was said what to do before the end. */
  #savedAtEnd = false
  #save: BackgroundSave | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(service: Service) {
    this.#service = service
    this.lastSaveAtMs = service.time.nowMs
    this.log = new KeptLog(service, (files) => this.#load(files))
  }

  get saving(): boolean {
    return this.#save !== undefined
  }

  get saveBeganAtMs(): number {
    return this.#save?.beganAtMs ?? -1
  }

  /** Changes since the last save. */
  get unsaved(): number {
    return this.#service.changes.count - this.#savedChanges
  }

  /**
   * Reads what is on disk, and from then on keeps what changes, as the configuration says. Before anybody is served.
   *
   * @throws LogError when a file is damaged
   */
  async start(): Promise<Loaded | undefined> {
    const { configuration } = this.#service
    if (!configuration.is('appendonly') && existsSync(this.#rdbPath))
      this.#load([{ path: this.#rdbPath, isLast: false }])
    await this.log.start()
    this.#savedChanges = this.#service.changes.count
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
    this.#service.endings.push(() => this.#stop())
    return this.loaded
  }

  /** Writes everything to the RDB file, at once. @throws ReplyError when that cannot be written */
  save(): void {
    if (this.saving) throw new ReplyError('Background save already in progress')
    const beganAtMs = performance.now()
    try {
      saveAtOnce(this.#service, this.#rdbPath, false)
    } catch (error) {
      this.lastSaveFailed = true
      throw new ReplyError(`the RDB file could not be written: ${(error as Error).message}`)
    }
    this.#saved(beganAtMs, this.#service.changes.count)
  }

  /** Writes everything, forgets it, and reads it again: DEBUG RELOAD. */
  reload({ save = true, clear = true }: { readonly save?: boolean; readonly clear?: boolean } = {}): void {
    const { logs, cache } = this.#service
    if (save) this.save()
    const { log } = logs
    // Nothing has changed that a log would have to know.
    logs.log = undefined
    cache.stop()
    if (clear) for (const db of cache.databases) db.clear()
    try {
      this.#load([{ path: this.#rdbPath, isLast: false }])
    } finally {
      logs.log = log
      cache.start()
    }
    this.#savedChanges = this.#service.changes.count
  }

  /** What is to be done before the server ends: a save, if it was asked for or `save` says when to. @throws ReplyError */
  saveAtEnd(how: 'always' | 'never' | 'as configured'): void {
    this.#savedAtEnd = true
    const wanted = how === 'always' || (how === 'as configured' && this.#service.configuration.text('save') !== '')
    if (!wanted) return
    this.#abandonSave()
    this.save()
  }

  /** The same in steps, while commands run. */
  saveInBackground(): void {
    if (this.saving) throw new ReplyError('Background save already in progress')
    const save = { beganAtMs: performance.now(), stopping: new AbortController() }
    this.#save = save
    void this.#runSave(save)
  }

  /** Forgets everything, and reads the log again: DEBUG LOADAOF. @throws ReplyError when there is none */
  reloadLog(): void {
    this.log.reload()
    this.#savedChanges = this.#service.changes.count
  }

  /** Returns where the last command of the last file ends. */
  #load(files: readonly StoredFile[]): number {
    const sums = { keys: 0, commands: 0, expired: 0 }
    let end = 0
    let torn: string | undefined
    let unmarked = 0
    this.#service.cache.readmit(() => {
      for (const { path, isLast } of files) {
        const read: Replayed = replayFile(this.#service, path, isLast)
        sums.keys += read.keys
        sums.commands += read.commands
        sums.expired += read.expired
        end = read.end
        unmarked = read.unmarked
        torn = read.torn && `${path}: ${read.torn} were cut off at byte ${read.end}`
      }
    })
    if (files.length > 0) this.loaded = { ...sums, torn, unmarked }
    if (torn) process.stderr.write(`${torn}\n`)
    if (unmarked > 0)
      process.stderr.write(`${files.at(-1)!.path}: its last ${unmarked} bytes were being written when it ended\n`)
    return end
  }

  async #runSave(save: BackgroundSave): Promise<void> {
    const { changes } = this.#service
    const { count } = changes
    try {
      await saveInSteps(this.#service, this.#rdbPath, { signal: save.stopping.signal })
      this.#saved(save.beganAtMs, count)
    } catch (error) {
      if (save.stopping.signal.aborted) return
      this.lastSaveFailed = true
      this.#service.onFault(`the RDB file could not be written: ${(error as Error).message}`)
    }
    if (this.#save === save) this.#save = undefined
  }

  #saved(beganAtMs: number, changes: number): void {
    this.#savedChanges = changes
    this.lastSaveAtMs = this.#service.time.nowMs
    this.lastSaveTookMs = performance.now() - beganAtMs
    this.lastSaveFailed = false
    this.saves++
  }

  /** Starts what is due: a save after so many changes. */
  #look(): void {
    const { configuration } = this.#service
    this.log.look()
    const points = configuration.text('save').split(' ').filter(Boolean).map(Number)
    const agoMs = this.#service.time.nowMs - this.lastSaveAtMs
    for (let at = 0; at + 1 < points.length && !this.saving && !this.lastSaveFailed; at += 2) {
      if (agoMs >= points[at]! * 1000 && this.unsaved >= points[at + 1]!) this.saveInBackground()
    }
  }

  get #rdbPath(): string {
    const { configuration } = this.#service
    return join(configuration.text('dir'), configuration.text('dbfilename'))
  }

  /** A signal asks nobody whether the file could be written. */
  #saveAtSignal(): void {
    try {
      this.saveAtEnd('as configured')
    } catch (error) {
      this.#service.onFault(error)
    }
  }

  #abandonSave(): void {
    this.#save?.stopping.abort()
    this.#save = undefined
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#abandonSave()
    if (!this.#savedAtEnd) this.#saveAtSignal()
    await this.log.stop()
  }
}
