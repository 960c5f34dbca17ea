/** For tests of commands: a service with a time moved by hand, and clients whose answers are collected as plain values. */
import type { Timer } from 'millpond'
import { type ManualClock, manualClock } from 'millpond/testing'
import { Arguments } from '../engine/arguments.ts'
import type { Reply } from '../engine/reply.ts'
import { EngineTime } from '../engine/time.ts'
import { Client } from './client.ts'
import type { Command } from './command.ts'
import { CommandTable } from './command-table.ts'
import { execute } from './executor.ts'
import type { LuaModule } from './scripting/lua/wasm.ts'
import { Service } from './service.ts'
import { COMMANDS } from './table.ts'

/** What a test sees of an answer. Errors are `{ error }`, simple strings `{ simple }`, maps pairs in a list. */
export type Answer =
  | string
  | number
  | bigint
  | boolean
  | null
  | { readonly error: string }
  | { readonly push: readonly Answer[] }
  | readonly Answer[]

/** A time that stands still until it is moved. */
export class TestTime extends EngineTime {
  readonly clock: ManualClock

  constructor(nowMs: number) {
    const clock = manualClock(nowMs)
    super(() => clock.wall())
    this.clock = clock
  }

  override after(delayMs: number, run: () => void): Timer {
    return this.clock.after(delayMs, () => {
      this.tick()
      run()
    })
  }

  /** Lets time pass, and runs the timers that fall due. */
  pass(ms: number): void {
    this.clock.advanceNow(ms)
    this.tick()
  }
}

/** A service without sockets. */
export class TestService extends Service {
  declare readonly time: TestTime

  constructor(commands: readonly Command[] = COMMANDS, random: () => number = Math.random, lua?: LuaModule) {
    const time = new TestTime(1_700_000_000_000)
    super({ time, commands: new CommandTable(commands), bytesMax: 2 ** 25, random, ...(lua && { lua }) })
  }

  client(): TestClient {
    return new TestClient(this)
  }

  /** What the log is told from here on, a line for a command. */
  logLines(): string[] {
    const lines: string[] = []
    const add = (args: Arguments) => void lines.push(args.texts(0).join(' '))
    this.logs.log = {
      append: (_, args) => add(args),
      appendGroup: (commands) => {
        for (const { args } of commands) add(args)
      },
      settled: true,
      whenSettled: (run) => run(),
    }
    return lines
  }

  /** The events of keys from here on: `lpush list`. */
  events(): string[] {
    const events: string[] = []
    const changed = (_: unknown, key: string, event: string) => void events.push(`${event} ${key}`)
    this.changes.add({ active: true, changed, cleared: () => {} })
    return events
  }
}

/** A client that is given commands by a test. */
export class TestClient extends Client {
  readonly reply: CollectingReply = new CollectingReply()
  /** What came without being asked for. */
  readonly pushed: Answer[] = []
  closed = false

  constructor(service: Service) {
    super(service.nextClientId(), service)
    service.clients.set(this.id, this)
  }

  /** Gives a command, one argument a word, and returns its answer; `undefined`: it waits. Texts are byte strings. */
  run(...words: readonly (string | number | Uint8Array)[]): Answer | undefined {
    this.reply.answers.length = 0
    const args = Arguments.of(words.map((word) => (typeof word === 'number' ? String(word) : word)))
    execute(this, args, this.reply)
    return this.reply.answers[0]
  }

  /** As `run`, of words divided by spaces. */
  say(line: string): Answer | undefined {
    return this.run(...line.split(' '))
  }

  /** The answer of a command that waited, once it has come. */
  get answer(): Answer | undefined {
    return this.reply.answers[0]
  }

  override push(write: (reply: Reply) => void): void {
    const reply = new CollectingReply()
    write(reply)
    this.pushed.push(...reply.answers)
  }

  override close(): void {
    this.closed = true
  }
}

interface Open {
  readonly parts: Answer[]
  left: number
  readonly push: boolean
}

/** Collects answers as values. */
export class CollectingReply implements Reply {
  readonly answers: Answer[] = []
  readonly #open: Open[] = []

  ok(): void {
    this.#add('OK')
  }
  simple(text: string): void {
    this.#add(text)
  }
  error(text: string): void {
    this.#add({ error: text })
  }
  /** A number, or a bigint where that would not be exact. */
  integer(value: number | bigint): void {
    this.#add(Number.isSafeInteger(Number(value)) ? Number(value) : value)
  }
  bulk(text: string): void {
    this.#add(text)
  }
  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#add(Buffer.from(bytes.slice(start, end)).toString('latin1'))
  }
  nil(): void {
    this.#add(null)
  }
  nilArray(): void {
    this.#add(null)
  }
  array(length: number): void {
    this.#begin(length, false)
  }
  map(pairs: number): void {
    this.#begin(pairs * 2, false)
  }
  set(length: number): void {
    this.#begin(length, false)
  }
  push(length: number): void {
    this.#begin(length, true)
  }
  double(value: number): void {
    this.#add(value)
  }
  boolean(value: boolean): void {
    this.#add(value)
  }
  bigNumber(digits: string): void {
    this.#add(digits)
  }
  verbatim(_format: string, text: string): void {
    this.#add(text)
  }

  #begin(length: number, push: boolean): void {
    this.#open.push({ parts: [], left: length, push })
    if (length === 0) this.#close()
  }

  #add(answer: Answer): void {
    const open = this.#open.at(-1)
    if (open === undefined) this.answers.push(answer)
    else {
      open.parts.push(answer)
      if (--open.left === 0) this.#close()
    }
  }

  #close(): void {
    const { parts, push } = this.#open.pop()!
    this.#add(push ? { push: parts } : parts)
  }
}
