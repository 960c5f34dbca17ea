/** Backups of a cache from time to time. */
import type { Service } from '../commands/service.ts'
import { type BackupRecord, backUp, listBackups, removeBackup } from './backup.ts'
import { checkBackup } from './check.ts'
import type { Vault } from './vault.ts'

export interface ScheduleOptions {
  /** A minute at least. */
  readonly everyMs: number
  /** How many stay: at least 1. */
  readonly keep: number
}

/** What is told of a schedule. Times are milliseconds since 1970. */
export interface ScheduleState {
  readonly nextAtMs: number
  readonly running: boolean
  readonly last: BackupRecord | undefined
  /** Why the last try failed; `undefined`: it did not. */
  readonly error: string | undefined
  readonly failures: number
}

/** Timers wait no longer than this. */
const WAIT_MAX_MS = 24 * 3_600_000
/** After a failure it is tried again so soon, or when it is due, if that is earlier. */
const RETRY_AFTER_MS = 5 * 60_000

/**
 * The next one is due so long after the last that is there: also after a restart. Older ones are removed only when a new one was read
 * back and found whole. A failure is told, and tried again; the cache goes on.
 */
export class BackupSchedule {
  readonly #service: Service
  readonly #vault: Vault
  readonly #options: ScheduleOptions
  readonly #stopping = new AbortController()
  #timer: { cancel(): void } | undefined
  #work: Promise<void> | undefined
  #nextAtMs = 0
  #last: BackupRecord | undefined
  #error: string | undefined
  #failures = 0

  constructor(service: Service, vault: Vault, options: ScheduleOptions) {
    this.#service = service
    this.#vault = vault
    this.#options = options
  }

  get state(): ScheduleState {
    const running = this.#work !== undefined
    return { nextAtMs: this.#nextAtMs, running, last: this.#last, error: this.#error, failures: this.#failures }
  }

  /** Looks which backups there are, and begins to wait. Resolves when it is known when the next one is due. */
  async start(): Promise<void> {
    const { everyMs } = this.#options
    const nowMs = this.#service.time.read()
    try {
      this.#last = (await listBackups(this.#vault, this.#service.cache.name)).at(-1)
      this.#nextAtMs = this.#last === undefined ? nowMs + everyMs : this.#last.createdAtMs + everyMs
    } catch (error) {
      this.#failed(error)
    }
    this.#wait()
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#timer?.cancel()
    await this.#work
  }

  #wait(): void {
    if (this.#stopping.signal.aborted) return
    const { time } = this.#service
    const leftMs = Math.max(0, this.#nextAtMs - time.read())
    this.#timer = time.after(Math.min(leftMs, WAIT_MAX_MS), () => {
      if (time.read() < this.#nextAtMs) this.#wait()
      else this.#work = this.#run()
    })
  }

  async #run(): Promise<void> {
    const beganAtMs = this.#service.time.read()
    try {
      await this.#backUp()
      this.#error = undefined
      this.#failures = 0
      this.#nextAtMs = beganAtMs + this.#options.everyMs
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(error)
    }
    this.#work = undefined
    this.#wait()
  }

  async #backUp(): Promise<void> {
    const { name: cache } = this.#service.cache
    const record = await backUp(this.#service, this.#vault, { signal: this.#stopping.signal })
    await checkBackup(this.#vault, record.name)
    this.#last = record
    const all = await listBackups(this.#vault, cache)
    for (const { name } of all.slice(0, -this.#options.keep)) await removeBackup(this.#vault, name)
  }

  #failed(error: unknown): void {
    this.#failures++
    this.#error = error instanceof Error ? error.message : String(error)
    this.#nextAtMs = this.#service.time.read() + Math.min(this.#options.everyMs, RETRY_AFTER_MS)
    this.#service.onFault(`the backup of ${this.#service.cache.name} has failed: ${this.#error}`)
  }
}
