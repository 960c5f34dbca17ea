/** One request and its answer: what those who serve requests have at hand. One for all connections of a process. */

import type { ArenaView } from 'millpond/memory'
import type { CommandEntry, CommandTable } from '../../commands/command-table.ts'
import { beginEffect, endEffect } from '../../commands/effect.ts'
import { Arguments } from '../../engine/arguments.ts'
import { Span } from '../../engine/span.ts'
import type { CacheState } from './cache-state.ts'
import type { MemcachedConnection } from './connection.ts'
import { Items } from './items.ts'
import { MemcachedWriter } from './memcached-writer.ts'
import type { MemcachedOptions } from './options.ts'
import { Words } from './words.ts'

/**
 * What became of a request: it was served; more of it has to come; it is put off until a pause ends; the connection is to end.
 */
export type Served = 'done' | 'more' | 'put off' | 'close'

/** An answer that is held back for a while. */
export interface LateAnswer {
  readonly delayMs: number
  write(): void
}

const PIECE_BYTES = 256 * 1024
/** The longest key. */
export const KEY_BYTES_MAX = 250

export class Exchange {
  readonly words: Words = new Words()
  readonly writer: MemcachedWriter = new MemcachedWriter(PIECE_BYTES)
  readonly items: Items = new Items()
  readonly options: MemcachedOptions
  /** The key of the present request. */
  readonly key: Span = new Span()
  /** Who asks, and what is kept of its cache. */
  client!: MemcachedConnection
  state!: CacheState
  /** What came, and how far it reaches. */
  bytes: Buffer = Buffer.alloc(0)
  end = 0
  /** Whether the client wants to hear only of what matters: noreply. */
  quiet = false
  /** Where the next request begins. */
  next = 0
  /** To where bytes are needed, when more has to come. */
  wanted = 0
  /** The answer of the present request, if it is not given at once. */
  late: LateAnswer | undefined
  /** Bytes behind `next` that are passed over. */
  skip = 0
  readonly #commands: CommandTable
  readonly #entries = new Map<string, CommandEntry>()
  readonly #args = new Arguments()
  #entry: CommandEntry | undefined
  #changes = 0

  constructor(commands: CommandTable, options: MemcachedOptions) {
    this.#commands = commands
    this.options = options
  }

  /** A Redis command: what another one's effect is taken for. */
  entry(name: string): CommandEntry {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = this.#commands.named(name)!
      this.#entries.set(name, entry)
    }
    return entry
  }

  /** A word is the key. Returns whether it may be one. */
  aim(word: number): boolean {
    const { key, words } = this
    key.bytes = words.bytes
    key.start = words.start(word)
    key.end = words.end(word)
    return key.end - key.start <= KEY_BYTES_MAX
  }

  /** Begins what has the effect of a command. Returns whether it may be done now. @throws ReplyError when it is refused */
  begin(entry: CommandEntry): boolean {
    const { client, key } = this
    const args = this.#args
    args.begin(key.bytes)
    args.add(key.start, key.start)
    args.add(key.start, key.end)
    this.#changes = client.service.changes.count
    if (!beginEffect(client, entry, args)) return false
    this.#entry = entry
    return true
  }

  /** As `Items.fetch`, of the key; what has expired since somebody looked for it last is counted. */
  fetch(wantsCas: boolean, uses = true): ArenaView | undefined {
    const { db, service } = this.client
    const { changes } = service
    const { expired } = changes
    const view = this.items.fetch(db, this.key, wantsCas, uses)
    if (view === undefined) this.state.counters.get_expired += changes.expired - expired
    return view
  }

  /** Ends what was begun, if anything was. */
  finish(): void {
    if (this.#entry === undefined) return
    const entry = this.#entry
    this.#entry = undefined
    endEffect(this.client, entry, this.#args, this.#changes)
  }

  /** Answers with a line, if the client wants to hear it. */
  answer(text: string): Served {
    if (!this.quiet) this.writer.line(text)
    return 'done'
  }

  /** Answers with a line that every client is to hear. */
  refuse(text: string): Served {
    this.writer.line(text)
    return 'done'
  }

  /** More has to come before the request can be read, up to here at least. */
  needs(to: number): Served {
    this.wanted = to
    return 'more'
  }
}
