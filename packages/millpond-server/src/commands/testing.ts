/** For tests of commands: a service with a time moved by hand, and clients whose answers are collected as plain values. */
import type { Timer } from 'millpond'
import { type ManualClock, manualClock } from 'millpond/testing'
import { Arguments } from '../engine/arguments.ts'
import { type Gathered, GatheredReply, type GroupKind } from '../engine/gathered-reply.ts'
import type { Reply } from '../engine/reply.ts'
import { EngineTime } from '../engine/time.ts'
import { Client } from './client.ts'
import type { Command } from './command.ts'
import { CommandTable } from './command-table.ts'
import { execute } from './executor.ts'
import { Service } from './service.ts'
import { COMMANDS } from './table.ts'

type More = number | bigint | { readonly error: string } | { readonly push: readonly Answer[] }

/** What a test sees of an answer. Errors are `{ error }`, simple strings texts, maps lists of keys and values in turn. */
export type Answer = Gathered<More>

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

  constructor(commands: readonly Command[] = COMMANDS, random: () => number = Math.random) {
    const time = new TestTime(1_700_000_000_000)
    super({ time, commands: new CommandTable(commands), bytesMax: 2 ** 25, random })
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

/** Collects answers as values. */
export class CollectingReply extends GatheredReply<More> {
  readonly answers: Answer[]

  constructor() {
    const answers: Answer[] = []
    super((answer) => void answers.push(answer))
    this.answers = answers
  }

  ok(): void {
    this.add('OK')
  }
  error(text: string): void {
    this.add({ error: text })
  }
  /** A number, or a bigint where that would not be exact. */
  integer(value: number | bigint): void {
    this.add(Number.isSafeInteger(Number(value)) ? Number(value) : value)
  }
  double(value: number): void {
    this.add(value)
  }

  protected override whole(kind: GroupKind, parts: readonly Answer[]): Answer {
    return kind === 'push' ? { push: parts } : parts
  }
}
