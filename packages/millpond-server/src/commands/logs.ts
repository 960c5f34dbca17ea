/** What the append-only log is told: each command that changed something, once it is done, grouped as it was executed. */
import { Arguments } from '../engine/arguments.ts'
import type { ReplyError } from '../engine/errors.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { Span } from '../engine/span.ts'
import type { Client } from './client.ts'
import type { Service } from './service.ts'

/** Where changes are written as commands. */
export interface ChangeLog {
  /** One command, as its words lie: they say something only during the call. */
  append(db: Keyspace, args: Arguments): void
  /** Commands that belong together, of a transaction or a script: all of them come back after a crash, or none. */
  appendGroup(commands: readonly LoggedCommand[]): void
  /** Whether all that was appended is as safe as it was asked to be: clients may be told. */
  readonly settled: boolean
  /** Calls back once that is so, in the order of calls; with a fault, if it can not be written. */
  whenSettled(run: (fault?: ReplyError) => void): void
}

export interface LoggedCommand {
  readonly db: Keyspace
  readonly args: Arguments
}

/** Collects what one command, with all that it runs inside, tells the log. */
export class Logs {
  /** The log, if there is one. */
  log: ChangeLog | undefined
  readonly #service: Service
  #group: LoggedCommand[] = []
  /** What comes behind the command that runs. */
  #after: LoggedCommand[] = []

  constructor(service: Service) {
    this.#service = service
  }

  /** See `Client.logAs`. `note`: what the words do not say (engine/log/log-note.ts). */
  replace(client: Client, words: readonly (string | Uint8Array)[], note?: string): void {
    if (this.log === undefined) return
    client.logged ??= []
    if (words.length === 0) return
    const args = Arguments.of(words)
    args.note = note
    client.logged.push(args)
  }

  /** A command of `client` in `db` has changed something, and is over. */
  done(client: Client, db: Keyspace, args: Arguments): void {
    const { log } = this
    if (log === undefined) return
    const { logged } = client
    const alone = this.#service.depth === 0 && this.#group.length === 0 && this.#after.length === 0
    if (logged === undefined && alone) {
      log.append(db, args)
      return
    }
    client.logged = undefined
    if (logged === undefined) this.#group.push({ db, args: args.keep() })
    else for (const instead of logged) this.#group.push({ db, args: instead })
    this.#takeAfter()
    if (this.#service.depth === 0) this.flush()
  }

  /** A key left by itself: after a start from the log it must not be there either. */
  left(db: Keyspace, key: Span): void {
    if (this.log !== undefined) this.also(db, ['DEL', key.copy()])
  }

  /** Something was changed beside the command that runs, and before it: what was too old was removed. */
  also(db: Keyspace, words: readonly (string | Uint8Array)[]): void {
    if (this.log !== undefined) this.alsoCommand(db, Arguments.of(words))
  }

  /** As `also`, of a command with its note. */
  alsoCommand(db: Keyspace, args: Arguments): void {
    if (this.log === undefined) return
    this.#group.push({ db, args })
    if (this.#service.depth === 0) this.flush()
  }

  /**
   * The cache lets a key expire at another moment than the command says: by its default, or by what it allows at most. At the next
   * start the command is read at another time, so the log is told the moment.
   */
  expires(db: Keyspace, key: Span, expiresAtMs: number): void {
    if (this.log === undefined) return
    this.#after.push({ db, args: Arguments.of(['PEXPIREAT', key.copy(), String(Math.ceil(expiresAtMs))]) })
  }

  /** Hands over what was collected: the outermost command is over. */
  flush(): void {
    this.#takeAfter()
    const group = this.#group
    if (group.length === 0 || this.log === undefined) return
    this.#group = []
    if (group.length === 1) this.log.append(group[0]!.db, group[0]!.args)
    else this.log.appendGroup(group)
  }

  #takeAfter(): void {
    if (this.#after.length === 0) return
    for (const command of this.#after) this.#group.push(command)
    this.#after = []
  }
}
