/** Commands by name, found from the bytes of a request without making a string, with what dispatch needs to know of each. */
import type { Arguments } from '../engine/arguments.ts'
import { isAudited } from './audit.ts'
import type { Command, CommandFlag } from './command.ts'

/** A command in a table: what its flags say as booleans, and its number in statistics. */
export class CommandEntry {
  readonly command: Command
  /** The container's entry, of a sub-command. */
  readonly parent: CommandEntry | undefined
  /** Number in the table, from 0. */
  readonly id: number
  /** `get`, and `config|set` of a sub-command. */
  readonly fullName: string
  readonly arity: number
  readonly writes: boolean
  readonly reads: boolean
  readonly needsMemory: boolean
  readonly isFast: boolean
  /** Whether reading the clock for each call of it would be a good part of what it costs. */
  readonly isShort: boolean
  readonly mayBlock: boolean
  /** Whether CLIENT PAUSE WRITE holds it back. */
  readonly mayReplicate: boolean
  readonly needsNoUser: boolean
  /** Whether it is done at once between MULTI and EXEC. */
  readonly endsQueue: boolean
  readonly isPubsub: boolean
  /** Whether it is noted who gave it. */
  readonly isAudited: boolean
  readonly #flags: ReadonlySet<CommandFlag>
  /** The commands of a container. */
  readonly children: NameTable | undefined

  constructor(command: Command, parent: CommandEntry | undefined, entries: CommandEntry[]) {
    this.command = command
    this.parent = parent
    this.id = entries.length
    entries.push(this)
    this.fullName = parent ? `${parent.command.name}|${command.name}` : command.name
    this.arity = command.arity
    const flags = new Set(command.flags)
    this.#flags = flags
    this.writes = flags.has('write')
    this.reads = flags.has('readonly')
    this.needsMemory = flags.has('denyoom')
    this.isFast = flags.has('fast')
    this.mayBlock = flags.has('blocking') || command.timedOut !== undefined
    this.isAudited = isAudited(this.fullName)
    this.isShort = (this.isFast || command.complexity === 'O(1)') && !this.mayBlock && !this.isAudited
    this.mayReplicate = flags.has('write') || flags.has('may_replicate')
    this.needsNoUser = flags.has('no_auth')
    this.endsQueue = parent === undefined && AT_ONCE.has(command.name)
    this.isPubsub = parent === undefined && WHILE_SUBSCRIBED.has(command.name)
    const { subcommands } = command
    this.children = subcommands && new NameTable(subcommands.map((child) => new CommandEntry(child, this, entries)))
  }

  /** Whether it can have so many words, its name among them. */
  fits(count: number): boolean {
    return this.arity > 0 ? count === this.arity : count >= -this.arity
  }

  has(flag: CommandFlag): boolean {
    return this.#flags.has(flag)
  }
}

/** What a transaction does not queue. */
const AT_ONCE = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])
/** What a RESP2 client that is subscribed may say. */
const WHILE_SUBSCRIBED = new Set(
  'ping subscribe ssubscribe unsubscribe sunsubscribe psubscribe punsubscribe quit reset'.split(' '),
)

/** All commands of a server. */
export class CommandTable {
  /** With sub-commands, each after its container. */
  readonly entries: readonly CommandEntry[]
  readonly #names: NameTable

  constructor(commands: readonly Command[]) {
    const entries: CommandEntry[] = []
    this.#names = new NameTable(commands.map((command) => new CommandEntry(command, undefined, entries)))
    this.entries = entries
  }

  /** The command that these words call; of a container the sub-command, if it has the one that is named. */
  find(args: Arguments): CommandEntry | undefined {
    const entry = this.#names.at(args, 0)
    if (entry === undefined || entry.children === undefined || args.count < 2) return entry
    return entry.children.at(args, 1)
  }

  /** By name: 'get', 'config', 'config|set'. Capitals or not. */
  named(name: string): CommandEntry | undefined {
    const [first, second, more] = name.toLowerCase().split('|')
    const entry = this.#names.named(first!)
    if (second === undefined || entry === undefined) return entry
    return more === undefined ? entry.children?.named(second) : undefined
  }

  /** Those that are no sub-commands. */
  get top(): readonly CommandEntry[] {
    return this.entries.filter(({ parent }) => parent === undefined)
  }
}

/**
 * Entries by name: an open-addressing table whose keys are compared with the bytes of a request. The hash takes letters in
 * capitals and small ones as the same.
 */
class NameTable {
  readonly #slots: (CommandEntry | undefined)[]
  readonly #names: Uint8Array[]
  readonly #mask: number
  readonly #entries: readonly CommandEntry[]
  /** What was found last: as a rule it is called again. */
  #last: CommandEntry | undefined
  #lastName: Uint8Array = NOTHING

  constructor(entries: readonly CommandEntry[]) {
    this.#entries = entries
    const size = 2 ** Math.ceil(Math.log2(entries.length * 4 + 4))
    this.#mask = size - 1
    this.#slots = new Array<CommandEntry | undefined>(size).fill(undefined)
    this.#names = new Array<Uint8Array>(size).fill(NOTHING)
    for (const entry of entries) {
      const name = Buffer.from(entry.command.name, 'latin1')
      let slot = hashOf(name, 0, name.length) & this.#mask
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & this.#mask
      this.#slots[slot] = entry
      this.#names[slot] = name
    }
  }

  at(args: Arguments, word: number): CommandEntry | undefined {
    const { bytes } = args
    const start = args.start(word)
    const end = args.end(word)
    if (isName(this.#lastName, bytes, start, end)) return this.#last
    for (let slot = hashOf(bytes, start, end) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot]
      if (entry === undefined) return undefined
      if (!isName(this.#names[slot]!, bytes, start, end)) continue
      this.#last = entry
      this.#lastName = this.#names[slot]!
      return entry
    }
  }

  /** In the order in which they were given. */
  [Symbol.iterator](): IterableIterator<CommandEntry> {
    return this.#entries[Symbol.iterator]()
  }

  named(name: string): CommandEntry | undefined {
    return this.#slots.find((entry) => entry?.command.name === name)
  }
}

const NOTHING = new Uint8Array(0)

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at]! | 0x20)) | 0
  return hash ^ (hash >>> 15)
}

function isName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let at = 0; at < name.length; at++) {
    const byte = bytes[start + at]!
    if (byte !== name[at] && (byte < 65 || byte > 90 || byte + 32 !== name[at])) return false
  }
  return true
}
