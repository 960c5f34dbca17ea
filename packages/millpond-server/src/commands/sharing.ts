/** Other threads that run commands on the same cache, as far as commands must know of them: `threads/` is where they are. */
import type { Arguments } from '../engine/arguments.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'

export interface Sharing {
  /** A command is about to run: from now on nobody sees or changes what it must have for itself. */
  enter(client: Client, entry: CommandEntry, args: Arguments): void
  /** As `enter`, for who does more than the command would do, with the same keys. */
  enterKeys(client: Client, entry: CommandEntry, args: Arguments): void
  /** It is over, with all that follows from it. */
  leave(): void
  /** As if a command ran that must have everything for itself. */
  alone(work: () => void): void
  /** Something may have changed of what all threads must know: who listens to changes, what the service refuses. */
  reconsider(): void
  /** A database has become another space of the arena. */
  cleared(): void
}
