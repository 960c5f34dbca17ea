/** One call of a script or function: until it returns, fails, or is stopped because it runs too long. */
import type { Reply } from '../../engine/reply.ts'
import { settle } from '../call.ts'
import type { Client } from '../client.ts'
import type { CommandEntry } from '../command-table.ts'
import { SERVICE_MODE } from '../modes.ts'
import { answer, COUNTED } from './lua/answer.ts'
import type { LuaMachine } from './lua/machine.ts'
import { MASK_COUNT, type Pointer, STATUS } from './lua/wasm.ts'
import type { ScriptFlag } from './script.ts'
import type { ScriptClient } from './script-client.ts'

/** Instructions of Lua between two looks at the clock: well below a millisecond. */
const HOOK_INSTRUCTIONS = 50_000
/** A script that has run too long works in slices of this, and in between the server answers others. */
const SLICE_MS = 20
/** One that can not be suspended, in a function that a C function called, is ended after as long as it may take, and at least this. */
const STUBBORN_MS = 1000

/** What is called. */
export interface ScriptCall {
  /** SHA1 of a script, name of a function. */
  readonly name: string
  readonly kind: 'script' | 'function'
  /** What it says of itself; `undefined`: nothing. */
  readonly flags: ReadonlySet<ScriptFlag> | undefined
  /** Called by a command that ends with _RO. */
  readonly readOnly: boolean
  /** Pushes the function and its arguments. Returns how many arguments. */
  push(state: Pointer): number
}

/**
 * A script runs in a Lua thread of its own. A hook looks at the clock; past `busyAfterMs` it suspends the thread, and from
 * then on the script goes on in slices. All other commands are refused with BUSY meanwhile, so the script is as
 * alone with the data as ever, but it can be killed: that is simply not to go on with it.
 */
export class ScriptRun {
  readonly client: Client
  readonly call: ScriptCall
  readonly beganMs: number
  /** A command that writes was called: it can not be killed any more, half of it would stay. */
  hasWritten = false
  /** Whether memory was short when it began. */
  readonly outOfMemory: boolean
  readonly #machine: LuaMachine
  readonly #scripts: ScriptClient
  readonly #entry: CommandEntry
  readonly #reply: Reply
  readonly #thread: Pointer
  /** The command that called it. */
  words: readonly string[] = []
  #sliceEndsMs: number
  #suspended = false

  constructor(machine: LuaMachine, scriptClient: ScriptClient, client: Client, scriptCall: ScriptCall, reply: Reply) {
    const { service } = client
    this.#machine = machine
    this.#scripts = scriptClient
    this.client = client
    this.call = scriptCall
    this.#entry = service.running!.entry
    this.#reply = reply
    this.outOfMemory = (service.modes & SERVICE_MODE.BOUNDED) !== 0 && !service.hasRoom()
    this.#thread = scriptClient.takeThread()
    this.beganMs = performance.now()
    this.#sliceEndsMs = this.beganMs + service.scripts.busyAfterMs
  }

  /** Whether it goes on in slices. */
  get isBusy(): boolean {
    return this.#suspended
  }

  /** Runs it to its end, or until it has run too long: then its client waits. */
  begin(): void {
    const args = this.call.push(this.#thread)
    this.#machine.lua._lua_sethook(this.#thread, this.#scripts.hook, MASK_COUNT, HOOK_INSTRUCTIONS)
    const status = this.#machine.lua._lua_resume(this.#thread, args)
    if (status === STATUS.YIELDED) this.#suspend()
    else this.#finish(status, this.#reply)
  }

  /** Called by the hook: whether the thread is to be suspended now. */
  isDue(): boolean {
    return performance.now() >= this.#sliceEndsMs
  }

  /** Whether it has gone far beyond the moment at which it was due, because it could not be suspended all that time. */
  isStubborn(): boolean {
    return performance.now() - this.#sliceEndsMs > Math.max(STUBBORN_MS, this.client.service.scripts.busyAfterMs)
  }

  /** Does not go on with it. */
  kill(): void {
    const by =
      this.call.kind === 'script'
        ? 'Script killed by user with SCRIPT KILL.'
        : 'Function killed by user with FUNCTION KILL.'
    this.#end((reply) => {
      reply.error(`ERR Error running script: ${by}`)
      this.#count('ERR', false)
      this.#scripts.dropThread(this.#thread)
    })
  }

  /** Lets the client wait, and others be answered. */
  #suspend(): void {
    const { service } = this.client
    const { args } = service.running!
    this.words = args.texts(0)
    this.#suspended = true
    service.setMode(SERVICE_MODE.BUSY, true)
    service.waiters.hold(this.client, this.#entry, args.keep(), this.#reply, [])
    // What others do meanwhile happens inside this command, and nothing is settled before it is over.
    service.depth++
    setImmediate(() => this.#slice())
  }

  #slice(): void {
    if (!this.#suspended) return
    const { service } = this.client
    service.time.tick()
    service.scripts.resumeFor(this)
    this.#sliceEndsMs = performance.now() + SLICE_MS
    const status = this.#machine.lua._lua_resume(this.#thread, 0)
    if (status === STATUS.YIELDED) setImmediate(() => this.#slice())
    else this.#end((reply) => this.#finish(status, reply))
  }

  /** Ends one that was suspended. */
  #end(give: (reply: Reply) => void): void {
    const { service } = this.client
    this.#suspended = false
    service.setMode(SERVICE_MODE.BUSY, false)
    service.depth--
    if (this.client.waiting === undefined) give(this.#reply)
    else service.waiters.end(this.client, give)
    service.scripts.left(this)
    settle(service)
  }

  #finish(status: number, reply: Reply): void {
    const { service } = this.client
    const machine = this.#machine
    if (status === STATUS.DONE) {
      // The first value that it returned, or nil.
      machine.lua._lua_settop(this.#thread, 1)
      const protocol = this.client.protocol === 3 && this.#scripts.protocol === 3 ? 3 : 2
      const failure = answer(machine, this.#thread, reply, protocol)
      if (failure !== undefined) this.#count(failure.text, failure.counted)
    } else {
      const message = this.#message()
      const counted = machine.isTable(this.#thread, -1) && machine.rawFieldText(this.#thread, -1, COUNTED) !== undefined
      reply.error(message)
      this.#count(message, counted)
    }
    if (status === STATUS.DONE) this.#scripts.giveThread(this.#thread)
    else this.#scripts.dropThread(this.#thread)
    if (!this.#suspended) service.scripts.left(this)
  }

  #count(message: string, counted: boolean): void {
    const { statistics } = this.client.service
    statistics.failed[this.#entry.id]!++
    if (!counted) statistics.error(message)
  }

  /** What went wrong, and where. */
  #message(): string {
    const machine = this.#machine
    const state = this.#thread
    const isTable = machine.isTable(state, -1)
    const text = isTable ? machine.rawFieldText(state, -1, 'err') : machine.text(state, -1)
    const source = isTable ? machine.rawFieldText(state, -1, 'source') : undefined
    const line = isTable ? machine.rawFieldText(state, -1, 'line') : undefined
    const place = source === undefined ? machine.place(state) : { source, line: Number(line) }
    const message = isTable ? (text ?? 'ERR unknown error') : `ERR ${text ?? 'unknown error'}`
    return place ? `${message} script: ${this.call.name}, on ${place.source}:${place.line}.` : message
  }
}
