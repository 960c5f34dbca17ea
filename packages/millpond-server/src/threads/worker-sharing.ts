/** What a worker does around each command: it is inside the turnstile by then, so only other workers and the keys of home's commands are to be kept apart. */
import type { Client } from '../commands/client.ts'
import type { CommandEntry } from '../commands/command-table.ts'
import type { Sharing } from '../commands/sharing.ts'
import type { Arguments } from '../engine/arguments.ts'
import { holdKeys, NEED, type Needs } from './needs.ts'

export class WorkerSharing implements Sharing {
  readonly #needs: Needs
  #holder: Client | undefined

  constructor(needs: Needs) {
    this.#needs = needs
  }

  enter(client: Client, entry: CommandEntry, args: Arguments): void {
    if (this.#needs.of(entry, args) !== NEED.NOTHING) this.enterKeys(client, entry, args)
  }

  enterKeys(client: Client, entry: CommandEntry, args: Arguments): void {
    this.#holder = client
    holdKeys(client.db, entry, args)
  }

  leave(): void {
    this.#holder?.db.cache.release()
    this.#holder = undefined
  }

  alone(work: () => void): void {
    work()
  }

  reconsider(): void {}

  cleared(): void {}
}
