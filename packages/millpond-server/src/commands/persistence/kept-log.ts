/** The append-only log of a cache: read at the start, made short again, begun and ended while clients are served. */
import { ReplyError } from '../../engine/errors.ts'
import { AppendLog, type Durability } from '../../engine/log/append-log.ts'
import { LogFile } from '../../engine/log/log-file.ts'
import { LogFolder } from '../../engine/log/log-folder.ts'
import type { ManifestFile } from '../../engine/log/manifest.ts'
import { SERVICE_MODE } from '../modes.ts'
import type { Service } from '../service.ts'
import { LogStart } from './log-start.ts'
import { Rewrite } from './rewrite.ts'

/** A file to be read. */
export interface StoredFile {
  readonly path: string
  /** Whether its end may be torn. */
  readonly isLast: boolean
}

/** Reads files into the service, and returns where the last command of the last one ends. */
type Load = (files: readonly StoredFile[]) => number

/** After a log could not be begun it is tried again. */
const RETRY_AFTER_MS = 5000

export class KeptLog {
  rewrites = 0
  lastRewriteTookMs = -1
  rewriteFailures = 0
  /** Bytes of the log when it was last rewritten, or read. */
  baseBytes = 0
  readonly #service: Service
  readonly #load: Load
  #log: AppendLog | undefined
  #folder: LogFolder | undefined
  #rewrite: Rewrite | undefined
  #starting: LogStart | undefined
  #beganAtMs = 0
  #wanted = false
  /** What was begun or ended last is over. */
  #turned: Promise<void> = Promise.resolve()
  #retryAtMs = 0

  constructor(service: Service, load: Load) {
    this.#service = service
    this.#load = load
  }

  get log(): AppendLog | undefined {
    return this.#log
  }

  /** Whether the log is being rewritten, or begun. */
  get rewriting(): boolean {
    return this.#rewrite !== undefined || this.#starting !== undefined
  }

  get rewriteBeganAtMs(): number {
    return this.rewriting ? this.#beganAtMs : -1
  }

  get bytes(): number {
    return this.#log && this.#folder ? this.#folder.size : 0
  }

  /** Reads the log, if the configuration wants one, and follows what that says from then on. */
  async start(): Promise<void> {
    const { configuration } = this.#service
    this.#wanted = configuration.is('appendonly')
    if (this.#wanted) await this.#open()
    configuration.follow('appendfsync', (value) => {
      if (this.#log) this.#log.durability = value as Durability
    })
    configuration.follow('appendonly', (value) => this.#turn(value === 'yes'))
  }

  /** Makes the log short again, in a process of its own. @throws ReplyError when there is no log, or one is at it */
  rewrite(): void {
    if (this.rewriting) throw new ReplyError('Background append only file rewriting already in progress')
    const [log, folder] = [this.#log, this.#folder]
    if (log === undefined || folder === undefined) {
      throw new ReplyError('there is no log to rewrite: appendonly is no')
    }
    this.#beganAtMs = performance.now()
    this.#rewrite = new Rewrite(this.#service, folder, log)
    void this.#runRewrite(this.#rewrite)
  }

  /** Forgets everything, and reads the log again: DEBUG LOADAOF. @throws ReplyError when there is none */
  reload(): void {
    const [log, folder] = [this.#log, this.#folder]
    if (log === undefined || folder === undefined || this.rewriting) {
      throw new ReplyError('there is no log that could be read now')
    }
    const { logs, cache } = this.#service
    const changeLog = logs.log
    log.spill()
    logs.log = undefined
    cache.stop()
    for (const db of cache.databases) db.clear()
    try {
      this.#loadAll(folder)
    } finally {
      logs.log = changeLog
      cache.start()
    }
  }

  /** Does what is due: a rewrite of a log that has grown, another try to begin. */
  look(): void {
    const { configuration } = this.#service
    if (this.#wanted && !this.#log && !this.#starting && performance.now() > this.#retryAtMs) this.#begin()
    const percentage = configuration.number('auto-aof-rewrite-percentage')
    if (!this.#log || this.rewriting || percentage === 0 || this.rewriteFailures > 0) return
    const { bytes } = this
    const grown = bytes > this.baseBytes * (1 + percentage / 100)
    if (grown && bytes > configuration.number('auto-aof-rewrite-min-size')) this.rewrite()
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    this.#wanted = false
    this.#starting?.stop()
    await this.#turned
    await this.#end()
  }

  async #open(): Promise<void> {
    const folder = this.#newFolder()
    folder.open()
    const ends = this.#loadAll(folder)
    const last = folder.files.at(-1)
    const own = last?.part === 'i' && /\.incr\.aof$/.test(last.name) ? last : undefined
    const file: ManifestFile = own ?? folder.next('i')
    const opened = await LogFile.open(folder.pathOf(file), own ? ends : 0)
    if (!own) folder.use([...folder.files, file])
    this.#use(folder, new AppendLog(opened, this.#service.configuration.text('appendfsync') as Durability))
  }

  #newFolder(): LogFolder {
    const { configuration } = this.#service
    const [dir, name] = [configuration.text('dir'), configuration.text('appendfilename')]
    return new LogFolder(dir, configuration.text('appenddirname'), name)
  }

  /** Time stands still long ago meanwhile: see `EngineTime.hold`. */
  #loadAll(folder: LogFolder): number {
    const { time } = this.#service
    time.hold()
    try {
      const last = folder.files.length - 1
      return this.#load(folder.files.map((file, at) => ({ path: folder.pathOf(file), isLast: at === last })))
    } finally {
      time.release()
    }
  }

  #turn(on: boolean): void {
    if (on === this.#wanted) return
    this.#wanted = on
    this.#starting?.stop()
    if (on) this.#begin()
    else this.#turned = this.#turned.then(() => (this.#wanted ? undefined : this.#end()))
  }

  /** Begins a log while clients are served. */
  #begin(): void {
    this.#retryAtMs = Number.POSITIVE_INFINITY
    this.#turned = this.#turned.then(async () => {
      if (!this.#wanted || this.#log) return
      this.#beganAtMs = performance.now()
      const folder = this.#newFolder()
      this.#starting = new LogStart(this.#service, folder, (log) => this.#use(folder, log))
      const begun = await this.#starting.run()
      this.#starting = undefined
      this.#count(begun)
      if (!begun) this.#retryAtMs = performance.now() + RETRY_AFTER_MS
    })
  }

  /** From now on changes are written to this log. */
  #use(folder: LogFolder, log: AppendLog): void {
    const service = this.#service
    this.#folder = folder
    this.#log = log
    this.baseBytes = folder.size
    log.durability = service.configuration.text('appendfsync') as Durability
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

  /** Writes what is left, and changes are not written any more. */
  async #end(): Promise<void> {
    const log = this.#log
    this.#rewrite?.stop()
    this.#log = undefined
    this.#service.logs.log = undefined
    this.#service.changes.reconsider()
    if (log === undefined) return
    log.onFault = () => {}
    this.#service.setMode(SERVICE_MODE.LOG_FAILED, false)
    await log.close()
  }

  async #runRewrite(rewrite: Rewrite): Promise<void> {
    const done = await rewrite.run()
    this.#rewrite = undefined
    this.#count(done)
    if (done) this.baseBytes = this.#folder!.size
  }

  #count(done: boolean): void {
    if (done) {
      this.rewrites++
      this.rewriteFailures = 0
      this.lastRewriteTookMs = performance.now() - this.#beganAtMs
    } else this.rewriteFailures++
  }
}
