/** A Lua state with the few calls that the rest of scripting needs, in terms of byte strings. */
import { GC, GLOBALS, type LuaModule, type Pointer, REGISTRY, TYPE } from './wasm.ts'

/** A C function of Lua: takes its arguments from the stack of `state`, leaves results there, returns how many. */
export type LuaFunction = (state: Pointer) => number

/** Longer texts get memory of their own for the moment of a push. */
const SCRATCH_BYTES = 64 * 1024
/** `lua_Debug` of Lua 5.1 on 32 bits: where `source` and `currentline` lie in its 100 bytes. */
const INFO = { BYTES: 100, SOURCE: 16, LINE: 20 } as const

/** Where a script was when something went wrong. */
export interface LuaPlace {
  readonly source: string
  readonly line: number
}

/**
 * All indexes into a stack are as in Lua's manual: from 1 at the bottom, from -1 at the top. A method whose name begins
 * with `push` leaves one value more.
 */
export class LuaMachine {
  readonly lua: LuaModule
  /** The main state. Scripts run in threads of it. */
  readonly main: Pointer
  readonly #scratch: Pointer
  readonly #length: Pointer
  readonly #info: Pointer
  readonly #names = new Map<string, Pointer>()

  constructor(lua: LuaModule) {
    this.lua = lua
    this.main = lua._luaL_newstate()
    lua._luaL_openlibs(this.main)
    this.#scratch = lua._malloc(SCRATCH_BYTES)
    this.#length = lua._malloc(4)
    this.#info = lua._malloc(INFO.BYTES)
  }

  /** Bytes that Lua values take. */
  get bytes(): number {
    return this.lua._lua_gc(this.main, GC.KILOBYTES, 0) * 1024
  }

  /** A C string that stays: names are few. */
  name(text: string): Pointer {
    let pointer = this.#names.get(text)
    if (pointer === undefined) {
      pointer = this.lua._malloc(text.length + 1)
      this.#write(`${text}\0`, pointer)
      this.#names.set(text, pointer)
    }
    return pointer
  }

  pushText(state: Pointer, text: string): void {
    const { lua } = this
    if (text.length <= SCRATCH_BYTES) {
      this.#write(text, this.#scratch)
      lua._lua_pushlstring(state, this.#scratch, text.length)
      return
    }
    const pointer = lua._malloc(text.length)
    this.#write(text, pointer)
    lua._lua_pushlstring(state, pointer, text.length)
    lua._free(pointer)
  }

  pushBytes(state: Pointer, bytes: Uint8Array, start: number, end: number): void {
    const { lua } = this
    const length = end - start
    const pointer = length <= SCRATCH_BYTES ? this.#scratch : lua._malloc(length)
    lua.HEAPU8.set(bytes.subarray(start, end), pointer)
    lua._lua_pushlstring(state, pointer, length)
    if (pointer !== this.#scratch) lua._free(pointer)
  }

  pushFunction(state: Pointer, run: LuaFunction): void {
    this.lua._lua_pushcclosure(state, this.lua.addFunction(run as (...args: number[]) => number, 'ii'), 0)
  }

  /** A string, or a number as Lua writes it, as a byte string; `undefined` for anything else. */
  text(state: Pointer, at: number): string | undefined {
    const { lua } = this
    const pointer = lua._lua_tolstring(state, at, this.#length)
    if (pointer === 0) return undefined
    const length = lua.HEAP32[this.#length >> 2]!
    return Buffer.from(lua.HEAPU8.buffer, pointer, length).toString('latin1')
  }

  type(state: Pointer, at: number): number {
    return this.lua._lua_type(state, at)
  }

  pop(state: Pointer, count = 1): void {
    this.lua._lua_settop(state, -count - 1)
  }

  /** Pushes the field of a table, without asking its metatable. */
  pushRawField(state: Pointer, at: number, name: string): void {
    this.pushText(state, name)
    this.lua._lua_rawget(state, at < 0 && at > REGISTRY ? at - 1 : at)
  }

  /** A text field of a table, without asking its metatable. */
  rawFieldText(state: Pointer, at: number, name: string): string | undefined {
    this.pushRawField(state, at, name)
    const text = this.text(state, -1)
    this.pop(state)
    return text
  }

  /** Takes the top value as a field of a table. */
  setField(state: Pointer, at: number, name: string): void {
    this.lua._lua_setfield(state, at, this.name(name))
  }

  setTextField(state: Pointer, at: number, name: string, text: string): void {
    this.pushText(state, text)
    this.setField(state, at < 0 && at > REGISTRY ? at - 1 : at, name)
  }

  /** Pushes a table with functions. */
  pushLibrary(state: Pointer, functions: Readonly<Record<string, LuaFunction>>): void {
    this.lua._lua_createtable(state, 0, 16)
    for (const [name, run] of Object.entries(functions)) {
      this.pushFunction(state, run)
      this.setField(state, -2, name)
    }
  }

  /** Compiles a text. Returns what is wrong with it, and pushes the function where nothing is. */
  load(state: Pointer, text: string, name: string): string | undefined {
    const { lua } = this
    const pointer = lua._malloc(text.length + 1)
    this.#write(text, pointer)
    const failed = lua._luaL_loadbuffer(state, pointer, text.length, this.name(name)) !== 0
    lua._free(pointer)
    if (!failed) return undefined
    const message = this.text(state, -1) ?? 'unknown error'
    this.pop(state)
    return message
  }

  /** Takes the top value and keeps it. Returns a number by which `pushKept` finds it. */
  keep(state: Pointer): number {
    return this.lua._luaL_ref(state, REGISTRY)
  }

  pushKept(state: Pointer, ref: number): void {
    this.lua._lua_rawgeti(state, REGISTRY, ref)
  }

  drop(ref: number): void {
    this.lua._luaL_unref(this.main, REGISTRY, ref)
  }

  /** Ends the function of Lua that called us with the error on top of the stack. Never returns. */
  raise(state: Pointer): never {
    return this.lua._lua_error(state) as never
  }

  /** Ends the function of Lua that called us with an error that is a text, with the script's line in front. */
  raiseText(state: Pointer, message: string): never {
    const place = this.place(state)
    this.pushText(state, place ? `${place.source.slice(1)}:${place.line}: ${message}` : message)
    return this.lua._lua_error(state) as never
  }

  /** Pushes a table with the field `err`, and where in the script it happened. */
  pushError(state: Pointer, message: string): void {
    this.lua._lua_createtable(state, 0, 4)
    this.setTextField(state, -1, 'err', message)
    const place = this.place(state)
    if (place === undefined) return
    this.setTextField(state, -1, 'source', place.source)
    this.setTextField(state, -1, 'line', String(place.line))
  }

  /** Which line of a script runs, or ran when it failed. Functions of C and of the sandbox are skipped: their caller is told. */
  place(state: Pointer): LuaPlace | undefined {
    const { lua } = this
    for (let level = 0; lua._lua_getstack(state, level, this.#info) !== 0; level++) {
      lua._lua_getinfo(state, this.name('Sl'), this.#info)
      const source = this.#cString(lua.HEAP32[(this.#info + INFO.SOURCE) >> 2]!)
      // Of Lua's own, and of ours, the source begins with '='.
      if (source.startsWith('@')) return { source, line: lua.HEAP32[(this.#info + INFO.LINE) >> 2]! }
    }
    return undefined
  }

  /** Runs a text of ours, which must be right. */
  run(text: string, name: string): void {
    const problem = this.load(this.main, text, name)
    if (problem === undefined && this.lua._lua_pcall(this.main, 0, 0, 0) === 0) return
    throw new Error(problem ?? this.text(this.main, -1))
  }

  setGlobal(name: string): void {
    this.setField(this.main, GLOBALS, name)
  }

  isTable(state: Pointer, at: number): boolean {
    return this.type(state, at) === TYPE.TABLE
  }

  #cString(pointer: Pointer): string {
    const { HEAPU8 } = this.lua
    return Buffer.from(HEAPU8.buffer, pointer, HEAPU8.indexOf(0, pointer) - pointer).toString('latin1')
  }

  #write(text: string, pointer: Pointer): void {
    const { HEAPU8 } = this.lua
    Buffer.from(HEAPU8.buffer, pointer, text.length).write(text, 'latin1')
  }
}
