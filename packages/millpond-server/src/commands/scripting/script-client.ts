/** The client as which scripts call commands, and `redis.call` itself. */
import { Arguments } from '../../engine/arguments.ts'
import { outOfMemory, ReplyError } from '../../engine/errors.ts'
import { formatDouble } from '../../engine/numbers.ts'
import { call } from '../call.ts'
import { Client } from '../client.ts'
import type { CommandEntry } from '../command-table.ts'
import { CLIENT_MODE, SERVICE_MODE } from '../modes.ts'
import type { Service } from '../service.ts'
import { COUNTED } from './lua/answer.ts'
import { LuaReply } from './lua/lua-reply.ts'
import type { LuaMachine } from './lua/machine.ts'
import { GC, type Pointer, TYPE } from './lua/wasm.ts'
import type { ScriptRun } from './script-run.ts'

/** What a script is told whose user may not. */
const REFUSALS = {
  command: "can't run this command or subcommand",
  key: "can't access at least one of the keys mentioned in the command arguments",
  channel: "can't access at least one of the channels mentioned in the command arguments",
} as const

/** After so many calls Lua collects a little of what they left, ahead of its own pace. */
const COLLECT_EVERY = 50

export class ScriptClient extends Client {
  /** The function that Lua calls every so many instructions. */
  readonly hook: Pointer
  /** Whose call runs. */
  run: ScriptRun | undefined
  readonly #machine: LuaMachine
  readonly #reply: LuaReply
  /** Threads by the numbers by which the machine keeps them. */
  readonly #threads = new Map<Pointer, number>()
  #idle: Pointer = 0
  #calls = 0
  /** A hook has suspended a thread, and that has not yet come up to us. */
  #suspending = false

  constructor(service: Service, machine: LuaMachine) {
    super(0, service)
    this.#machine = machine
    this.#reply = new LuaReply(machine)
    this.hook = machine.lua.addFunction((state) => this.#look(state!), 'vii')
  }

  /** A Lua thread for a call. One that ended well is used again: making one costs more than most scripts do. */
  takeThread(): Pointer {
    const idle = this.#idle
    this.#idle = 0
    if (idle !== 0) return idle
    const { lua, main } = this.#machine
    const thread = lua._lua_newthread(main)
    this.#threads.set(thread, this.#machine.keep(main))
    return thread
  }

  giveThread(thread: Pointer): void {
    const { lua, main } = this.#machine
    lua._lua_settop(thread, 0)
    if (++this.#calls % COLLECT_EVERY === 0) lua._lua_gc(main, GC.STEP, 1)
    if (this.#idle === 0) this.#idle = thread
    else this.dropThread(thread)
  }

  /** Lets go of a thread that failed, or is not gone on with. */
  dropThread(thread: Pointer): void {
    this.#machine.drop(this.#threads.get(thread)!)
    this.#threads.delete(thread)
  }

  /** Makes ready for a script of this client. */
  resumeFor(run: ScriptRun): void {
    this.run = run
    this.#suspending = false
  }

  override get caller(): Client {
    return this.run?.client ?? this
  }

  override get monitorName(): string {
    return 'lua'
  }

  override get isScript(): boolean {
    return true
  }

  /** As whom and where the first command of a script runs. */
  begin(run: ScriptRun): void {
    this.resumeFor(run)
    this.db = run.client.db
    this.user = run.client.user
    this.protocol = 2
    this.modes =
      CLIENT_MODE.NEVER_BLOCKS |
      (run.client.modes & (CLIENT_MODE.LIMITED | CLIENT_MODE.REPLAYING | CLIENT_MODE.TRACKING))
  }

  /** Whether the server suspends the script now: asked by the sandbox's `coroutine.resume`. */
  get suspending(): boolean {
    return this.#suspending
  }

  /** `redis.call` and `redis.pcall`: pushes what the command answers. */
  redisCall(state: Pointer, raises: boolean): number {
    const args = this.#arguments(state)
    this.#reply.begin(state, this.protocol)
    const problem = typeof args === 'string' ? args : this.#perform(args)
    if (problem !== undefined) {
      this.service.statistics.error(problem)
      this.#reply.begin(state, this.protocol)
      this.#reply.error(problem)
    }
    if (this.#reply.failure === undefined) return 1
    this.#machine.setTextField(state, -1, COUNTED, '1')
    return raises ? this.#machine.raise(state) : 1
  }

  /** The arguments of a call; a text: what is wrong with them. */
  #arguments(state: Pointer): Arguments | string {
    const machine = this.#machine
    const count = machine.lua._lua_gettop(state)
    if (count === 0) return 'ERR Please specify at least one argument for this redis.call() call'
    const words: string[] = []
    for (let at = 1; at <= count; at++) {
      const type = machine.type(state, at)
      if (type === TYPE.NUMBER) words.push(formatDouble(machine.lua._lua_tonumber(state, at)))
      else if (type === TYPE.STRING) words.push(machine.text(state, at)!)
      else return 'ERR Lua redis lib command arguments must be strings or integers'
    }
    return Arguments.of(words)
  }

  /** Runs a command, whose answer is pushed; or returns why it is not run. */
  #perform(args: Arguments): string | undefined {
    const { service } = this
    const entry = service.commands.find(args)
    if (entry === undefined) return 'ERR Unknown Redis command called from script'
    try {
      this.#check(entry, args)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      service.statistics.rejected[entry.id]!++
      return `${error.code} ${error.message}`
    }
    if (entry.writes && this.run) this.run.hasWritten = true
    const { current } = service
    call(this, entry, args, this.#reply)
    service.current = current
    return undefined
  }

  /** @throws ReplyError when a script may not call the command, or not now */
  #check(entry: CommandEntry, args: Arguments): void {
    const { run, service } = this
    const { count } = args
    const { arity } = entry
    if (arity > 0 ? count !== arity : count < -arity) {
      throw new ReplyError('Wrong number of args calling Redis command from script')
    }
    if (entry.has('noscript')) throw new ReplyError('This Redis command is not allowed from script')
    const denial = this.user.unlimited ? undefined : service.accessControl.denial(this, entry, args, 'lua')
    if (denial) throw new ReplyError(`The user executing the script ${REFUSALS[denial.reason]}`)
    if (run === undefined) throw new ReplyError('redis.call can only be called inside a script invocation')
    const { flags, readOnly } = run.call
    if ((readOnly || flags?.has('no-writes')) && entry.mayReplicate) {
      throw new ReplyError('Write commands are not allowed from read-only scripts.')
    }
    if (run.hasWritten) return
    if (entry.writes && (service.modes & SERVICE_MODE.LOG_FAILED) !== 0) throw service.logFault()
    if (entry.needsMemory && run.outOfMemory && !flags?.has('allow-oom')) throw outOfMemory()
  }

  /** The hook: suspends the thread if it has run too long. In a function that C called that can not be done. */
  #look(state: Pointer): undefined {
    const { run } = this
    if (run === undefined || !run.isDue()) return undefined
    const { lua } = this.#machine
    if (this.#isInsideC(state)) {
      if (run.isStubborn()) this.#machine.raiseText(state, 'the script ran too long where it can not be suspended')
      return undefined
    }
    this.#suspending = true
    lua._lua_yield(state, 0)
    return undefined
  }

  /** In `lua_State` of Lua 5.1 on 32 bits: how many C calls are open, and how many were when the thread was resumed. */
  #isInsideC(state: Pointer): boolean {
    const { HEAPU16 } = this.#machine.lua
    return HEAPU16[(state + 52) >> 1]! > HEAPU16[(state + 54) >> 1]!
  }
}
