/** The commands that took long: the last ones of them. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Client } from '../client.ts'

/** So many words of a command are kept, and of each so many bytes. */
const WORDS_MAX = 32
const WORD_BYTES_MAX = 128

export interface SlowCommand {
  readonly id: number
  readonly atSeconds: number
  readonly microseconds: number
  readonly words: readonly string[]
  readonly address: string
  readonly clientName: string
}

export class SlowLog {
  /** How many are kept: `slowlog-max-len`. */
  #max = 128
  #lastId = 0
  /** Newest first. */
  #commands: SlowCommand[] = []

  get commands(): readonly SlowCommand[] {
    return this.#commands
  }

  set max(max: number) {
    this.#max = max
    this.#commands.length = Math.min(this.#commands.length, max)
  }

  add(client: Client, args: Arguments, microseconds: number): void {
    const { address, name, service } = client
    this.#commands.unshift({
      id: this.#lastId++,
      atSeconds: Math.floor(service.time.nowMs / 1000),
      microseconds: Math.floor(microseconds),
      words: shortened(args, client.secrets),
      address,
      clientName: name,
    })
    this.max = this.#max
  }

  /** Adds what another thread has noted of a client. */
  take(command: SlowCommand, { address, name }: Client): void {
    this.#commands.unshift({ ...command, id: this.#lastId++, address, clientName: name })
    this.max = this.#max
  }

  clear(): void {
    this.#commands = []
  }
}

/** The words of a command as they are shown: no secrets, and not too much of it. */
function shortened(args: Arguments, secrets: ReadonlySet<number> | undefined): string[] {
  const shown = args.count > WORDS_MAX ? WORDS_MAX - 1 : args.count
  const words = Array.from({ length: shown }, (_, at) => {
    if (secrets?.has(at)) return '(redacted)'
    const word = args.text(at)
    const rest = word.length - WORD_BYTES_MAX
    return rest > 0 ? `${word.slice(0, WORD_BYTES_MAX)}... (${rest} more bytes)` : word
  })
  if (args.count > WORDS_MAX) words.push(`... (${args.count - shown} more arguments)`)
  return words
}
