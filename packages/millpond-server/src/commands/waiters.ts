/** Commands that wait: for a key to change, or for a pause to end. */
import type { Timer } from 'millpond'
import { Arguments } from '../engine/arguments.ts'
import type { ReplyError } from '../engine/errors.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { Reply } from '../engine/reply.ts'
import { Span } from '../engine/span.ts'
import { call, fail } from './call.ts'
import type { ChangeListener } from './changes.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { CLIENT_MODE } from './modes.ts'
import type { Service } from './service.ts'

/** Timers of Node reach no further. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** A command that waits. */
export interface Waiting {
  readonly client: Client
  readonly entry: CommandEntry
  readonly args: Arguments
  readonly reply: Reply
  readonly db: Keyspace
  /** Byte strings. None: it waits for something else. */
  readonly keys: readonly string[]
  /** Is being run again. */
  retrying: boolean
  /** Has found, when run again, that it has to wait on. */
  again: boolean
  timer: Timer | undefined
}

/**
 * Each key has a queue of those that wait for it, in the order in which they came (a Set keeps it). Keys that change are only
 * noted; when the outermost command is over those that wait are served, and what these change in turn, until nothing is left.
 */
export class Waiters implements ChangeListener {
  /** Commands that wait. */
  count = 0
  readonly #service: Service
  readonly #queues = new Map<Keyspace, Map<string, Set<Waiting>>>()
  readonly #ready = new Map<Keyspace, Set<string>>()
  #serving = false

  constructor(service: Service) {
    this.#service = service
    service.changes.add(this)
  }

  get active(): boolean {
    return this.#queues.size > 0
  }

  /** Whether a key has changed that somebody waits for. */
  get due(): boolean {
    return this.#ready.size > 0
  }

  /** See `Client.block`. */
  wait(client: Client, keys: readonly Span[], timeoutMs: number, instead?: readonly (string | Uint8Array)[]): void {
    const running = this.#service.running!
    if ((client.modes & CLIENT_MODE.NEVER_BLOCKS) !== 0) timedOut(client, running.entry, running.reply)
    else if (client.waiting?.retrying) client.waiting.again = true
    else {
      const texts = [...new Set(keys.map((key) => key.text()))]
      const args = instead ? Arguments.of(instead) : running.args.keep()
      const waiting = this.hold(client, running.entry, args, running.reply, texts)
      this.#arm(waiting, timeoutMs)
    }
  }

  /** Lets a client wait with a command, whose words are kept. Without keys somebody else must end it. */
  hold(client: Client, entry: CommandEntry, args: Arguments, reply: Reply, keys: readonly string[]): Waiting {
    const { db } = client
    const later = client.later(reply)
    const waiting = { client, entry, args, reply: later, db, keys, retrying: false, again: false, timer: undefined }
    client.waiting = waiting
    this.count++
    if (keys.length > 0) this.#enqueue(waiting)
    return waiting
  }

  /** Ends a wait without the answer being given here. */
  release(client: Client): Waiting | undefined {
    const { waiting } = client
    if (waiting === undefined) return undefined
    client.waiting = undefined
    this.count--
    waiting.timer?.cancel()
    const queues = this.#queues.get(waiting.db)
    for (const key of waiting.keys) {
      const queue = queues?.get(key)
      queue?.delete(waiting)
      if (queue?.size === 0) queues!.delete(key)
    }
    if (queues?.size === 0) this.#queues.delete(waiting.db)
    this.#service.changes.reconsider()
    return waiting
  }

  /** Ends a wait with an answer: CLIENT UNBLOCK, or that its time is over. */
  end(client: Client, answer: 'time is over' | ReplyError | ((reply: Reply) => void)): void {
    const waiting = this.release(client)
    if (waiting === undefined) return
    this.#service.statistics.record(waiting.entry.id, 0)
    if (typeof answer === 'function') answer(waiting.reply)
    else if (answer !== 'time is over') fail(client, waiting.entry, waiting.reply, answer)
    else timedOut(client, waiting.entry, waiting.reply)
    client.resume()
  }

  changed(keyspace: Keyspace, key: string): void {
    if (!this.#queues.get(keyspace)?.has(key)) return
    const ready = this.#ready.get(keyspace)
    if (ready) ready.add(key)
    else this.#ready.set(keyspace, new Set([key]))
  }

  /** All keys for which somebody waits may have gone or come. */
  cleared(keyspace: Keyspace): void {
    for (const key of this.#queues.get(keyspace)?.keys() ?? []) this.changed(keyspace, key)
  }

  /** Runs again what waits for keys that have changed. Called when no command runs. */
  serve(): void {
    if (this.#serving) return
    this.#serving = true
    while (this.#ready.size > 0) {
      const ready = [...this.#ready]
      this.#ready.clear()
      for (const [keyspace, keys] of ready) for (const key of keys) this.#serveKey(keyspace, key)
    }
    this.#serving = false
  }

  #serveKey(keyspace: Keyspace, key: string): void {
    const queue = this.#queues.get(keyspace)?.get(key)
    if (queue === undefined) return
    const span = Span.of(key)
    for (const waiting of [...queue]) {
      const { waitsFor } = waiting.entry.command
      if (waiting.client.waiting !== waiting) continue
      if (waitsFor !== undefined && keyspace.typeOf(span) !== waitsFor) continue
      this.#retry(waiting)
    }
  }

  #retry(waiting: Waiting): void {
    const { client, entry, args, reply } = waiting
    waiting.retrying = true
    waiting.again = false
    call(client, entry, args, reply)
    waiting.retrying = false
    if (waiting.again) return
    this.release(client)
    client.resume()
  }

  #enqueue(waiting: Waiting): void {
    const queues = this.#queues.get(waiting.db) ?? new Map<string, Set<Waiting>>()
    this.#queues.set(waiting.db, queues)
    for (const key of waiting.keys) queues.set(key, (queues.get(key) ?? new Set()).add(waiting))
    this.#service.changes.reconsider()
  }

  #arm(waiting: Waiting, timeoutMs: number): void {
    if (timeoutMs === Number.POSITIVE_INFINITY) return
    const step = Math.min(timeoutMs, TIMER_MS_MAX)
    waiting.timer = this.#service.time.after(step, () => {
      if (step < timeoutMs) this.#arm(waiting, timeoutMs - step)
      else if (waiting.client.waiting === waiting) this.end(waiting.client, 'time is over')
    })
  }
}

function timedOut(client: Client, { command }: CommandEntry, reply: Reply): void {
  if (command.timedOut) command.timedOut(client, reply)
  else reply.nilArray()
}
