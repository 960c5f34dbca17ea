/** What the home thread does around each command while workers run commands on the same cache. */
import type { Client } from '../commands/client.ts'
import type { CommandEntry } from '../commands/command-table.ts'
import type { Service } from '../commands/service.ts'
import type { Sharing } from '../commands/sharing.ts'
import type { Arguments } from '../engine/arguments.ts'
import { holdKeys, NEED, type Need, Needs } from './needs.ts'
import type { HomeTurnstile } from './turnstile.ts'

/** What the command that runs has for itself. */
const HAS = { NOTHING: 0, KEYS: 1, EVERYTHING: 2 } as const

/**
 * A command that names its keys runs beside the workers, and holds the parts of the arena that its keys lie in. Any other one
 * (EXEC, scripts, FLUSHALL, all that configures) waits until the workers are out, and has everything for itself.
 *
 * Workers tell nobody what they change. As long as somebody must hear of it (WATCH, blocked commands, tracking, keyspace
 * events, a log, MONITOR) or commands may be refused (a pause, no memory, a script that runs too long) the way in is closed, and
 * the commands of all clients come here. It is closed by a command, before that is over, or between commands, and
 * workers are out at that moment: so none of them has missed it.
 */
export class HomeSharing implements Sharing {
  /** Called before commands that tell or forget what was counted. */
  onCount: () => void = () => {}
  readonly #service: Service
  readonly #turnstile: HomeTurnstile
  readonly #needs: Needs
  /** Commands that tell or forget what was counted, by their numbers. */
  readonly #counts: Uint8Array
  #has: (typeof HAS)[keyof typeof HAS] = HAS.NOTHING
  /** How many commands run inside each other. */
  #level = 0
  #closed = true
  #isEnding = false

  constructor(service: Service, turnstile: HomeTurnstile) {
    this.#service = service
    this.#turnstile = turnstile
    this.#needs = new Needs(service.commands)
    this.#counts = Uint8Array.from(service.commands.entries, (entry) => Number(COUNTING.has(entry.fullName)))
    turnstile.open(true)
  }

  /** Lets workers in from now on, whenever nothing forbids it. */
  start(): void {
    this.reconsider()
  }

  /** Lets no worker in any more. */
  end(): void {
    this.#isEnding = true
    this.reconsider()
  }

  enter(client: Client, entry: CommandEntry, args: Arguments): void {
    if (this.#counts[entry.id] === 1) this.onCount()
    this.#take(client, entry, args, this.#needs.of(entry, args))
  }

  enterKeys(client: Client, entry: CommandEntry, args: Arguments): void {
    this.#take(client, entry, args, NEED.KEYS)
  }

  leave(): void {
    if (--this.#level > 0) return
    if (this.#has === HAS.KEYS) this.#service.cache.release()
    const mustClose = this.#mustClose
    if (this.#has === HAS.EVERYTHING || mustClose !== this.#closed) this.#move(mustClose)
    this.#has = HAS.NOTHING
  }

  alone(work: () => void): void {
    this.#level++
    this.#takeAll()
    try {
      work()
    } finally {
      this.leave()
    }
  }

  reconsider(): void {
    if (this.#level > 0) return
    const mustClose = this.#mustClose
    if (mustClose !== this.#closed) this.#move(mustClose)
  }

  cleared(): void {
    this.#turnstile.announce()
  }

  /** Whether every command must come here. */
  get #mustClose(): boolean {
    const { modes, changes, logs, settings } = this.#service
    return this.#isEnding || modes !== 0 || changes.listening || logs.log !== undefined || settings.timesEach
  }

  #take(client: Client, entry: CommandEntry, args: Arguments, need: Need): void {
    if (this.#level++ > 0 || need === NEED.EVERYTHING) this.#takeAll()
    else if (need === NEED.KEYS && !this.#closed) {
      this.#has = HAS.KEYS
      holdKeys(client.db, entry, args)
    }
  }

  /** Also for what runs inside a command that had less: no one of both needs to wait for a worker that waits for the other. */
  #takeAll(): void {
    if (this.#closed || this.#has === HAS.EVERYTHING) return
    if (this.#has === HAS.KEYS) this.#service.cache.release()
    this.#turnstile.shut()
    this.#has = HAS.EVERYTHING
  }

  #move(closed: boolean): void {
    if (closed && !this.#closed && this.#has !== HAS.EVERYTHING) this.#turnstile.shut()
    this.#turnstile.open(closed)
    this.#closed = closed
  }
}

const COUNTING: ReadonlySet<string> = new Set(['info', 'config|resetstat', 'latency|histogram', 'memory|stats'])
