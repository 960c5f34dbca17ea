/**
 * The slice of Lua 5.1's C interface that we call, in the WebAssembly build of `wasmoon-lua5.1`. Only its module is used,
 * in a host of ours: its own conversions between JavaScript and Lua cost ten times what a call costs and know no byte
 * strings, and its host can only be made asynchronously, with a file system and programs that no script is to reach.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { LuaHost } from './lua-host.ts'
import { instantiate } from './web-assembly.ts'

/** A pointer into the module's memory; a Lua state is one. */
export type Pointer = number

/** C functions of Lua 5.1's manual, chapter 3, by their names there. */
export interface LuaModule {
  readonly HEAPU8: Uint8Array
  readonly HEAPU16: Uint16Array
  readonly HEAP32: Int32Array
  _malloc(bytes: number): Pointer
  _free(pointer: Pointer): void
  /** Makes a C function of a JavaScript one. `signature`: result and arguments, `i` for int or pointer, `v` for void. */
  addFunction(run: (...args: number[]) => number | undefined, signature: string): Pointer
  _luaL_newstate(): Pointer
  _luaL_openlibs(state: Pointer): void
  _luaL_loadbuffer(state: Pointer, text: Pointer, length: number, name: Pointer): number
  _luaL_ref(state: Pointer, table: number): number
  _luaL_unref(state: Pointer, table: number, ref: number): void
  _lua_checkstack(state: Pointer, slots: number): number
  _lua_createtable(state: Pointer, items: number, fields: number): void
  _lua_error(state: Pointer): number
  _lua_gc(state: Pointer, what: number, data: number): number
  _lua_getfield(state: Pointer, at: number, name: Pointer): void
  _lua_getinfo(state: Pointer, what: Pointer, info: Pointer): number
  _lua_getstack(state: Pointer, level: number, info: Pointer): number
  _lua_gettop(state: Pointer): number
  _lua_insert(state: Pointer, at: number): void
  _lua_newthread(state: Pointer): Pointer
  _lua_next(state: Pointer, at: number): number
  _lua_objlen(state: Pointer, at: number): number
  _lua_pcall(state: Pointer, args: number, results: number, handler: number): number
  _lua_pushboolean(state: Pointer, value: number): void
  _lua_pushcclosure(state: Pointer, run: Pointer, values: number): void
  _lua_pushlightuserdata(state: Pointer, value: Pointer): void
  _lua_pushlstring(state: Pointer, text: Pointer, length: number): void
  _lua_pushnil(state: Pointer): void
  _lua_pushnumber(state: Pointer, value: number): void
  _lua_pushvalue(state: Pointer, at: number): void
  _lua_rawget(state: Pointer, at: number): void
  _lua_rawgeti(state: Pointer, at: number, index: number): void
  _lua_rawset(state: Pointer, at: number): void
  _lua_rawseti(state: Pointer, at: number, index: number): void
  _lua_remove(state: Pointer, at: number): void
  _lua_resume(state: Pointer, args: number): number
  _lua_setfenv(state: Pointer, at: number): number
  _lua_setfield(state: Pointer, at: number, name: Pointer): void
  _lua_sethook(state: Pointer, run: Pointer, mask: number, count: number): number
  _lua_settop(state: Pointer, top: number): void
  _lua_toboolean(state: Pointer, at: number): number
  _lua_tolstring(state: Pointer, at: number, length: Pointer): Pointer
  _lua_tonumber(state: Pointer, at: number): number
  _lua_type(state: Pointer, at: number): number
  _lua_xmove(from: Pointer, to: Pointer, values: number): void
  _lua_yield(state: Pointer, results: number): number
}

/** What `lua_type` tells. */
export const TYPE = {
  NONE: -1,
  NIL: 0,
  BOOLEAN: 1,
  LIGHT_USERDATA: 2,
  NUMBER: 3,
  STRING: 4,
  TABLE: 5,
  FUNCTION: 6,
} as const
/** Pseudo-indexes. */
export const REGISTRY = -10_000
export const GLOBALS = -10_002
/** What `lua_resume` tells. */
export const STATUS = { DONE: 0, YIELDED: 1 } as const
/** The hook's event "so many instructions have passed". */
export const MASK_COUNT = 8
/** `lua_gc`: collect everything; kilobytes in use; collect a little. */
export const GC = { COLLECT: 2, KILOBYTES: 3, STEP: 5 } as const

let loaded: LuaModule | undefined

/** The module, one for all machines. It is loaded at the first call, in about 15 ms: who runs no script does without. */
export function loadLua(): LuaModule {
  loaded ??= load()
  return loaded
}

function load(): LuaModule {
  const require = createRequire(import.meta.url)
  const host = new LuaHost()
  const exports = instantiate(readFileSync(require.resolve('wasmoon-lua5.1/dist/liblua5.1.wasm')), host.imports)
  host.begin(exports)
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === 'function') Object.assign(host, { [`_${name}`]: value })
  }
  return host as unknown as LuaModule
}
