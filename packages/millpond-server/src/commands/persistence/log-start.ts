/** The beginning of a log while clients are served: CONFIG SET appendonly yes. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { Arguments } from '../../engine/arguments.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { AppendLog } from '../../engine/log/append-log.ts'
import { LogFile } from '../../engine/log/log-file.ts'
import type { LogFolder } from '../../engine/log/log-folder.ts'
import { discard, syncPath } from '../../engine/log/manifest.ts'
import { Span } from '../../engine/span.ts'
import type { ChangeListener } from '../changes.ts'
import type { Service } from '../service.ts'
import { saveInSteps } from './snapshot.ts'
import { stateCommand } from './state-command.ts'

/** So many keys are told at once, and at the end. */
const KEYS_A_STEP = 64
/** Where keys change faster than they are told, the rest is told at once after so many steps. */
const STEPS_MAX = 20_000

/**
 * The base is a snapshot whose keys are of different moments. So it is remembered which keys change after it was begun, and
 * the new log begins with what each of them holds, as RESTORE or DEL; those that change meanwhile are told again. When few are
 * left they are told at once, and from that moment on commands are logged. What was acknowledged before is safe from then
 * on only, as with Redis.
 */
export class LogStart implements ChangeListener {
  readonly active = true
  readonly #service: Service
  readonly #folder: LogFolder
  readonly #use: (log: AppendLog) => void
  readonly #stopping = new AbortController()
  /** Databases that were emptied, or exchanged. */
  readonly #cleared = new Set<Keyspace>()
  readonly #changed = new Map<Keyspace, Set<string>>()

  /** @param use is called at the moment from which on the log is to be told of changes */
  constructor(service: Service, folder: LogFolder, use: (log: AppendLog) => void) {
    this.#service = service
    this.#folder = folder
    this.#use = use
  }

  changed(keyspace: Keyspace, key: string): void {
    const keys = this.#changed.get(keyspace)
    if (keys) keys.add(key)
    else this.#changed.set(keyspace, new Set([key]))
  }

  noted(keyspace: Keyspace, key: string): void {
    this.changed(keyspace, key)
  }

  cleared(keyspace: Keyspace): void {
    this.#changed.delete(keyspace)
    this.#cleared.add(keyspace)
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Resolves with whether it was done. */
  async run(): Promise<boolean> {
    const { changes } = this.#service
    const folder = this.#folder
    const draft = join(folder.path, `temp-${process.pid}.rdb`)
    let log: AppendLog | undefined
    changes.add(this)
    try {
      folder.open()
      const [base, next] = [folder.next('b'), folder.next('i')]
      const { libraries } = await saveInSteps(this.#service, draft, { isLogBase: true, signal: this.#stopping.signal })
      log = new AppendLog(await LogFile.open(folder.pathOf(next), 0), 'no')
      for (let steps = 0; this.#left > KEYS_A_STEP && steps < STEPS_MAX; steps++) await this.#step(log)
      await log.synced()
      this.#stopping.signal.throwIfAborted()
      renameSync(draft, folder.pathOf(base))
      syncPath(folder.path)
      folder.use([base, next])
      while (this.#left > 0) this.#tellSome(log)
      this.#tellLibraries(log, libraries)
      this.#use(log)
      return true
    } catch (error) {
      await log?.close()
      discard(draft)
      if (!this.#stopping.signal.aborted)
        this.#service.onFault(`the log could not be begun: ${(error as Error).message}`)
      return false
    } finally {
      changes.remove(this)
    }
  }

  get #left(): number {
    let sum = this.#cleared.size
    for (const keys of this.#changed.values()) sum += keys.size
    return sum
  }

  async #step(log: AppendLog): Promise<void> {
    this.#tellSome(log)
    await log.written()
    this.#stopping.signal.throwIfAborted()
  }

  #tellSome(log: AppendLog): void {
    for (const db of this.#cleared) {
      this.#cleared.delete(db)
      log.append(db.index, Arguments.of(['FLUSHDB']))
      for (const key of db.keys()) this.changed(db, Buffer.from(key).toString('latin1'))
    }
    let left = KEYS_A_STEP
    for (const [db, keys] of this.#changed) {
      for (const key of keys) {
        if (left-- === 0) return
        keys.delete(key)
        log.append(db.index, stateCommand(key, db.peek(Span.of(key))))
      }
      this.#changed.delete(db)
    }
  }

  /** Libraries of functions stand in the base. If others have come since, the log begins with all. */
  #tellLibraries(log: AppendLog, before: readonly string[]): void {
    const present = this.#service.scripts.functions.all.map(({ text }) => text)
    if (present.length === before.length && present.every((text, at) => text === before[at])) return
    log.append(0, Arguments.of(['FUNCTION', 'FLUSH']))
    for (const text of present) log.append(0, Arguments.of(['FUNCTION', 'LOAD', text]))
  }
}
