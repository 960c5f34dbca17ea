/** Runs the texts of libraries, and collects what they register. */
import { ReplyError } from '../../engine/errors.ts'
import type { RegisteredFunction } from './function-libraries.ts'
import type { LuaMachine } from './lua/machine.ts'
import { GLOBALS, MASK_COUNT, type Pointer, TYPE } from './lua/wasm.ts'
import { checkName, isScriptFlag, type ScriptFlag } from './script.ts'
import type { Scripts } from './scripts.ts'

const TIMEOUT_MS = 500
const HOOK_INSTRUCTIONS = 50_000
const FIELDS = ['function_name', 'callback', 'description', 'flags']

export class FunctionLoader {
  readonly #machine: LuaMachine
  /** What libraries see as `redis` while they are loaded, kept in the machine. */
  readonly #registrar: number
  readonly #hook: Pointer
  /** What the library that is being loaded has registered. */
  #functions: Map<string, RegisteredFunction> | undefined
  #endsMs = 0

  constructor(scripts: Scripts) {
    const { machine } = scripts
    this.#machine = machine
    scripts.pushRegistrar(machine.main, (state) => this.#register(state))
    this.#registrar = machine.keep(machine.main)
    this.#hook = machine.lua.addFunction((state) => {
      if (performance.now() > this.#endsMs) machine.raiseText(state!, 'FUNCTION LOAD timeout')
      return undefined
    }, 'vii')
  }

  /** @throws ReplyError when it is no Lua, fails, or registers nothing */
  run(body: string): readonly RegisteredFunction[] {
    const machine = this.#machine
    const { lua, main } = machine
    const thread = lua._lua_newthread(main)
    const ref = machine.keep(main)
    const functions = new Map<string, RegisteredFunction>()
    this.#functions = functions
    try {
      const problem = machine.load(thread, body, '@user_function')
      if (problem !== undefined) throw new ReplyError(`Error compiling function: ${problem}`)
      this.#run(thread)
      if (functions.size === 0) throw new ReplyError('No functions registered')
      return [...functions.values()]
    } catch (error) {
      for (const { ref: registered } of functions.values()) machine.drop(registered)
      throw error
    } finally {
      this.#functions = undefined
      machine.drop(ref)
    }
  }

  /** The function on top of the stack is called in globals of its own, which after it become those of scripts. */
  #run(thread: Pointer): void {
    const machine = this.#machine
    const { lua } = machine
    lua._lua_getfield(thread, GLOBALS, machine.name('__library'))
    machine.pushKept(thread, this.#registrar)
    lua._lua_getfield(thread, GLOBALS, machine.name('__globals'))
    if (lua._lua_pcall(thread, 2, 2, 0) !== 0) throw new Error(machine.text(thread, -1))
    // From the bottom: the library's text, its globals, what opens them.
    lua._lua_pushvalue(thread, 2)
    lua._lua_setfenv(thread, 1)
    lua._lua_pushvalue(thread, 1)
    this.#endsMs = performance.now() + TIMEOUT_MS
    lua._lua_sethook(thread, this.#hook, MASK_COUNT, HOOK_INSTRUCTIONS)
    const failed = lua._lua_pcall(thread, 0, 0, 0) !== 0
    lua._lua_sethook(thread, 0, 0, 0)
    if (failed) throw new ReplyError(`Error registering functions: ${this.#message(thread)}`)
    lua._lua_pushvalue(thread, 3)
    lua._lua_pcall(thread, 0, 0, 0)
  }

  #message(state: Pointer): string {
    const machine = this.#machine
    const text = machine.isTable(state, -1) ? machine.rawFieldText(state, -1, 'err') : machine.text(state, -1)
    return text ?? 'unknown error'
  }

  /** `redis.register_function`. */
  #register(state: Pointer): number {
    const problem = this.#registered(state)
    return problem === undefined ? 0 : this.#machine.raiseText(state, problem)
  }

  /** Takes a function; or returns what is wrong. */
  #registered(state: Pointer): string | undefined {
    const machine = this.#machine
    if (this.#functions === undefined) return 'redis.register_function can only be called on FUNCTION LOAD command'
    const count = machine.lua._lua_gettop(state)
    if (count < 1 || count > 2) return 'wrong number of arguments to redis.register_function'
    if (count === 1) {
      if (!machine.isTable(state, 1)) {
        return 'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).'
      }
      return this.#named(state)
    }
    if (machine.type(state, 1) !== TYPE.STRING) return 'first argument to redis.register_function must be a string'
    if (machine.type(state, 2) !== TYPE.FUNCTION) return 'second argument to redis.register_function must be a function'
    machine.lua._lua_pushvalue(state, 2)
    return this.#add(state, machine.text(state, 1)!, undefined, new Set())
  }

  #named(state: Pointer): string | undefined {
    const machine = this.#machine
    const { lua } = machine
    lua._lua_pushnil(state)
    while (lua._lua_next(state, 1) !== 0) {
      const name = machine.type(state, -2) === TYPE.STRING ? machine.text(state, -2)! : ''
      machine.pop(state)
      if (!FIELDS.includes(name)) return 'unknown argument given to redis.register_function'
    }
    const given = (field: string, type: number, word: string): string | undefined => {
      machine.pushRawField(state, 1, field)
      const found = machine.type(state, -1)
      if (found === TYPE.NIL || found === type) return undefined
      return `${field} argument given to redis.register_function must be a ${word}`
    }
    const problem =
      given('function_name', TYPE.STRING, 'string') ??
      given('description', TYPE.STRING, 'string') ??
      given('callback', TYPE.FUNCTION, 'function')
    if (problem !== undefined) return problem
    const flags = this.#flags(state)
    if (typeof flags === 'string') return flags
    const name = machine.rawFieldText(state, 1, 'function_name')
    if (name === undefined) return 'redis.register_function must get a function name argument'
    machine.pushRawField(state, 1, 'callback')
    if (machine.type(state, -1) === TYPE.NIL) return 'redis.register_function must get a callback argument'
    return this.#add(state, name, machine.rawFieldText(state, 1, 'description'), flags)
  }

  #flags(state: Pointer): ReadonlySet<ScriptFlag> | string {
    const machine = this.#machine
    const flags = new Set<ScriptFlag>()
    machine.pushRawField(state, 1, 'flags')
    if (machine.type(state, -1) === TYPE.NIL) return flags
    if (!machine.isTable(state, -1)) {
      return 'flags argument to redis.register_function must be a table representing function flags'
    }
    for (let index = 1; ; index++) {
      machine.lua._lua_rawgeti(state, -1, index)
      const flag = machine.type(state, -1) === TYPE.STRING ? machine.text(state, -1)! : ''
      const end = machine.type(state, -1) === TYPE.NIL
      machine.pop(state)
      if (end) return flags
      if (!isScriptFlag(flag)) return 'unknown flag given'
      flags.add(flag)
    }
  }

  /** The function itself is on top of the stack. */
  #add(
    state: Pointer,
    name: string,
    description: string | undefined,
    flags: ReadonlySet<ScriptFlag>,
  ): string | undefined {
    try {
      checkName(name)
    } catch (error) {
      return (error as Error).message
    }
    const functions = this.#functions!
    if (functions.has(name.toLowerCase())) return 'Function already exists in the library'
    functions.set(name.toLowerCase(), { name, description, flags, ref: this.#machine.keep(state) })
    return undefined
  }
}
