/** CLIENT PAUSE: commands are put off until it ends. */
import type { Timer } from 'millpond'
import type { Arguments } from '../engine/arguments.ts'
import type { Reply } from '../engine/reply.ts'
import { anyOf } from './admission.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { execute } from './executor.ts'
import { SERVICE_MODE } from './modes.ts'
import type { Service } from './service.ts'

/** What is put off. */
export type PauseKind = 'all' | 'write'

export class Pause {
  kind: PauseKind = 'write'
  #untilMs = 0
  #timer: Timer | undefined
  readonly #service: Service
  readonly #postponed = new Set<Client>()
  /** Clients that keep what they want to do, and are told to go on. */
  readonly #held = new Set<Client>()

  constructor(service: Service) {
    this.#service = service
  }

  get active(): boolean {
    return (this.#service.modes & SERVICE_MODE.PAUSED) !== 0
  }

  /** Begins one, or makes the one that is there stricter and longer, never less. */
  begin(kind: PauseKind, untilMs: number): void {
    this.kind = this.active && this.kind === 'all' ? 'all' : kind
    this.#untilMs = this.active ? Math.max(this.#untilMs, untilMs) : untilMs
    this.#service.setMode(SERVICE_MODE.PAUSED, true)
    this.#service.cache.keepExpired(true)
    this.#arm()
  }

  /** Ends it: what was put off is done, in the order in which it came. */
  end(): void {
    this.#timer?.cancel()
    this.#service.setMode(SERVICE_MODE.PAUSED, false)
    this.#service.cache.keepExpired(false)
    const postponed = [...this.#postponed]
    this.#postponed.clear()
    for (const client of postponed) {
      const waiting = this.#service.waiters.release(client)
      if (waiting === undefined) continue
      execute(client, waiting.args, waiting.reply)
      if (client.waiting === undefined) client.resume()
    }
    const held = [...this.#held]
    this.#held.clear()
    for (const client of held) client.resume()
  }

  /** Whether a command has to wait. A script that says that it writes nothing is taken at its word. */
  holds(client: Client, entry: CommandEntry, args: Arguments): boolean {
    if (this.kind === 'all') return true
    const { scripts } = this.#service
    return anyOf(client, entry, args, (one, words) => one.mayReplicate && !scripts.writesNothing(one, words))
  }

  postpone(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): void {
    this.#postponed.add(client)
    this.#service.waiters.hold(client, entry, args.keep(), reply, [])
  }

  /** Calls `resume` of a client when it ends. */
  hold(client: Client): void {
    this.#held.add(client)
  }

  #arm(): void {
    const { time } = this.#service
    this.#timer?.cancel()
    this.#timer = time.after(Math.min(this.#untilMs - time.nowMs, 2 ** 31 - 1), () => {
      time.tick()
      if (time.nowMs >= this.#untilMs) this.end()
      else this.#arm()
    })
  }
}
