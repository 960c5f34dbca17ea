/** What a service keeps on disk: RDB files, and the append-only log. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ReplyError } from '../../engine/errors.ts'
import { AppendLog, type Durability } from '../../engine/log/append-log.ts'
import { LogFile } from '../../engine/log/log-file.ts'
import { LogFolder } from '../../engine/log/log-folder.ts'
import type { ManifestFile } from '../../engine/log/manifest.ts'
import { SERVICE_MODE } from '../modes.ts'
import type { Service } from '../service.ts'
import { type Replayed, replayFile } from './replay.ts'
import { Rewrite } from './rewrite.ts'
import { Snapshot } from './snapshot.ts'

/** What was found at the start. */
export interface Loaded {
  readonly keys: number
  readonly commands: number
  readonly expired: number
  /** What was torn off at the end of the log, and cut. */
  readonly torn: string | undefined
}

/** How often it is looked whether a rewrite or a save is due. */
const LOOK_EVERY_MS = 1000
const SAVED_STEP_PAUSE_MS = 5

export class Persistence {
  readonly #service: Service
  /** Facts for INFO. Times are milliseconds, -1 where there is none. */
  lastSaveAtMs: number
  lastSaveTookMs = -1
  lastSaveFailed = false
  saves = 0
  loaded: Loaded | undefined
  rewrites = 0
  lastRewriteTookMs = -1
  rewriteFailures = 0
  /** Bytes of the log when it was last rewritten, or read. */
  baseBytes = 0
  #savedChanges = 0
  /** It was said what to do before the end. */
  #savedAtEnd = false
  /** Where the last command of the last file ends. */
  #ends = 0
  #log: AppendLog | undefined
  #folder: LogFolder | undefined
  #snapshot: { readonly snapshot: Snapshot; readonly beganAtMs: number; timer: NodeJS.Timeout } | undefined
  #rewrite: Rewrite | undefined
  #rewriteBeganAtMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(service: Service) {
    this.#service = service
    this.lastSaveAtMs = service.time.nowMs
  }

  get saving(): boolean {
    return this.#snapshot !== undefined
  }

  get saveBeganAtMs(): number {
    return this.#snapshot?.beganAtMs ?? -1
  }

  get rewriting(): boolean {
    return this.#rewrite !== undefined
  }

  get rewriteBeganAtMs(): number {
    return this.#rewrite ? this.#rewriteBeganAtMs : -1
  }

  /** The log, while there is one. */
  get log(): AppendLog | undefined {
    return this.#log
  }

  get logBytes(): number {
    const { files = [] } = this.#folder ?? {}
    return this.#log ? (files.length > 0 ? this.#folder!.size : 0) : 0
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
    if (configuration.is('appendonly')) await this.#openLog()
    else if (existsSync(this.#rdbPath)) this.#load([{ path: this.#rdbPath, isLast: false }])
    this.#savedChanges = this.#service.changes.count
    configuration.follow('appendfsync', (value) => {
      if (this.#log) this.#log.durability = value as Durability
    })
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
    this.#service.endings.push(() => this.#stop())
    return this.loaded
  }

  /** Writes everything to the RDB file, at once. @throws ReplyError when that cannot be written */
  save(): void {
    if (this.saving) throw new ReplyError('Background save already in progress')
    const beganAtMs = performance.now()
    try {
      new Snapshot(this.#service, this.#rdbPath, false).finish()
    } catch (error) {
      this.lastSaveFailed = true
      throw new ReplyError(`the RDB file could not be written: ${(error as Error).message}`)
    }
    this.#saved(beganAtMs)
  }

  /** Writes everything, forgets it, and reads it again: DEBUG RELOAD. */
  reload(): void {
    const { logs, cache } = this.#service
    this.save()
    const { log } = logs
    // Nothing has changed that a log would have to know.
    logs.log = undefined
    cache.stop()
    for (const db of cache.databases) db.clear()
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
    try {
      const snapshot = new Snapshot(this.#service, this.#rdbPath, false)
      this.#snapshot = { snapshot, beganAtMs: performance.now(), timer: setTimeout(() => this.#saveStep(), 0) }
    } catch (error) {
      this.lastSaveFailed = true
      throw new ReplyError(`the RDB file could not be written: ${(error as Error).message}`)
    }
  }

  /** Makes the log short again, in a process of its own. @throws ReplyError when there is no log, or one is at it */
  rewrite(): void {
    if (this.#rewrite) throw new ReplyError('Background append only file rewriting already in progress')
    const [log, folder] = [this.#log, this.#folder]
    if (log === undefined || folder === undefined) {
      throw new ReplyError('there is no log to rewrite: appendonly is no')
    }
    this.#rewriteBeganAtMs = performance.now()
    this.#rewrite = new Rewrite(this.#service, folder, log)
    void this.#runRewrite(this.#rewrite)
  }

  async #openLog(): Promise<void> {
    const { configuration } = this.#service
    const [dir, name] = [configuration.text('dir'), configuration.text('appendfilename')]
    const folder = new LogFolder(dir, configuration.text('appenddirname'), name)
    folder.open()
    const { files } = folder
    const { time } = this.#service
    time.hold()
    try {
      this.#load(files.map((file, at) => ({ path: folder.pathOf(file), isLast: at === files.length - 1 })))
    } finally {
      time.release()
    }
    this.#folder = folder
    const last = files.at(-1)
    const own = last?.part === 'i' && /\.incr\.aof$/.test(last.name) ? last : undefined
    const file: ManifestFile = own ?? folder.next('i')
    const opened = await LogFile.open(folder.pathOf(file), own ? this.#ends : 0)
    if (!own) folder.use([...files, file])
    this.baseBytes = folder.size
    this.#log = new AppendLog(opened, configuration.text('appendfsync') as Durability)
    this.#listen(this.#log)
  }
  #listen(log: AppendLog): void {
    const service = this.#service
    log.onFault = (fault) => {
      service.setMode(SERVICE_MODE.LOG_FAILED, fault !== undefined)
      if (fault) service.onFault(fault.message)
    }
    service.logFault = () => log.fault ?? new ReplyError('the log can not be written', 'MISCONF')
    service.logs.log = {
      append: (db, args) => log.append(db.index, args),
      appendGroup: (commands) => log.appendGroup(commands.map(({ db, args }) => ({ db: db.index, args }))),
      get settled() {
        return log.settled
      },
      whenSettled: (run) => log.whenSettled(run),
    }
  }

  #load(files: readonly { readonly path: string; readonly isLast: boolean }[]): void {
    const sums = { keys: 0, commands: 0, expired: 0 }
    let torn: string | undefined
    this.#service.cache.readmit(() => {
      for (const { path, isLast } of files) {
        const read: Replayed = replayFile(this.#service, path, isLast)
        sums.keys += read.keys
        sums.commands += read.commands
        sums.expired += read.expired
        this.#ends = read.end
        torn = read.torn && `${path}: ${read.torn} were cut off at byte ${read.end}`
      }
    })
    if (files.length > 0) this.loaded = { ...sums, torn }
    if (torn) process.stderr.write(`${torn}\n`)
  }

  #saveStep(): void {
    const { snapshot, beganAtMs } = this.#snapshot!
    try {
      if (!snapshot.advance()) {
        this.#snapshot!.timer = setTimeout(() => this.#saveStep(), SAVED_STEP_PAUSE_MS)
        return
      }
      this.#saved(beganAtMs)
    } catch (error) {
      snapshot.abandon()
      this.lastSaveFailed = true
      this.#service.onFault(`the RDB file could not be written: ${(error as Error).message}`)
    }
    this.#snapshot = undefined
  }

  #saved(beganAtMs: number): void {
    this.#savedChanges = this.#service.changes.count
    this.lastSaveAtMs = this.#service.time.nowMs
    this.lastSaveTookMs = performance.now() - beganAtMs
    this.lastSaveFailed = false
    this.saves++
  }

  async #runRewrite(rewrite: Rewrite): Promise<void> {
    const done = await rewrite.run()
    this.#rewrite = undefined
    if (done) {
      this.rewrites++
      this.rewriteFailures = 0
      this.lastRewriteTookMs = performance.now() - this.#rewriteBeganAtMs
      this.baseBytes = this.#folder!.size
    } else this.rewriteFailures++
  }

  /** Starts what is due: a rewrite of a log that has grown, a save after so many changes. */
  #look(): void {
    const { configuration } = this.#service
    const percentage = configuration.number('auto-aof-rewrite-percentage')
    if (this.#log && !this.rewriting && percentage > 0 && this.rewriteFailures === 0) {
      const bytes = this.logBytes
      const grown = bytes > this.baseBytes * (1 + percentage / 100)
      if (grown && bytes > configuration.number('auto-aof-rewrite-min-size')) this.rewrite()
    }
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
    if (this.#snapshot === undefined) return
    clearTimeout(this.#snapshot.timer)
    this.#snapshot.snapshot.abandon()
    this.#snapshot = undefined
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#rewrite?.stop()
    this.#abandonSave()
    if (!this.#savedAtEnd) this.#saveAtSignal()
    await this.#log?.close()
    this.#service.logs.log = undefined
    this.#log = undefined
  }
}
