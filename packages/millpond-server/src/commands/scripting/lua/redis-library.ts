/** The library `redis`, with which a script speaks to the server. */
import { createHash } from 'node:crypto'
import type { LuaFunction, LuaMachine } from './machine.ts'
import { type Pointer, TYPE } from './wasm.ts'

/** The version of Redis whose commands and replies we have. */
export const REDIS_VERSION = '7.0.15'
const LEVELS = ['LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING'] as const

/** What the library needs of the server. */
export interface ScriptHost {
  redisCall(state: Pointer, raises: boolean): number
  /** Whether the user of the script may give this command. `undefined`: there is no such command. */
  mayCall(words: readonly string[]): boolean | undefined
  setProtocol(protocol: 2 | 3): void
  /** 0: debug, 1: verbose, 2: notice, 3: warning. */
  log(level: number, text: string): void
}

/** Pushes the library `redis`. */
export function pushRedis(machine: LuaMachine, state: Pointer, host: ScriptHost): void {
  machine.pushLibrary(state, functionsOf(machine, host))
  addConstants(machine, state)
  setNumber(machine, state, 'REPL_NONE', 0)
  setNumber(machine, state, 'REPL_AOF', 1)
  setNumber(machine, state, 'REPL_SLAVE', 2)
  setNumber(machine, state, 'REPL_REPLICA', 2)
  setNumber(machine, state, 'REPL_ALL', 3)
}

/** Pushes what a library sees as `redis` while it is loaded. */
export function pushRegistrar(machine: LuaMachine, state: Pointer, host: ScriptHost, register: LuaFunction): void {
  machine.pushLibrary(state, { register_function: register, log: functionsOf(machine, host).log! })
  addConstants(machine, state)
}

/** Adds to the table on top what does not change. */
function addConstants(machine: LuaMachine, state: Pointer): void {
  for (const [level, name] of LEVELS.entries()) setNumber(machine, state, name, level)
  const [major, minor, patch] = REDIS_VERSION.split('.').map(Number) as [number, number, number]
  setNumber(machine, state, 'REDIS_VERSION_NUM', (major << 16) | (minor << 8) | patch)
  machine.setTextField(state, -1, 'REDIS_VERSION', REDIS_VERSION)
}

function functionsOf(machine: LuaMachine, host: ScriptHost): Record<string, LuaFunction> {
  const { lua } = machine
  const none = (from: Pointer, result?: number): number => {
    if (result !== undefined) lua._lua_pushboolean(from, result)
    return result === undefined ? 0 : 1
  }
  return {
    call: (from) => host.redisCall(from, true),
    pcall: (from) => host.redisCall(from, false),
    error_reply: (from) => single(machine, from, 'err'),
    status_reply: (from) => single(machine, from, 'ok'),
    sha1hex: (from) => {
      if (lua._lua_gettop(from) !== 1) return machine.raiseText(from, 'wrong number of arguments')
      const text = machine.text(from, 1) ?? ''
      machine.pushText(from, sha1(text))
      return 1
    },
    log: (from) => {
      const count = lua._lua_gettop(from)
      if (count < 2) return machine.raiseText(from, 'redis.log() requires two arguments or more.')
      if (machine.type(from, 1) !== TYPE.NUMBER)
        return machine.raiseText(from, 'First argument must be a number (log level).')
      const level = lua._lua_tonumber(from, 1)
      if (level < 0 || level > 3) return machine.raiseText(from, 'Invalid log level.')
      const texts = Array.from({ length: count - 1 }, (_, at) => machine.text(from, at + 2)).filter(Boolean)
      host.log(level, texts.join(' '))
      return 0
    },
    setresp: (from) => {
      if (lua._lua_gettop(from) !== 1) return machine.raiseText(from, 'redis.setresp() requires one argument.')
      const protocol = lua._lua_tonumber(from, 1)
      if (protocol !== 2 && protocol !== 3) return machine.raiseText(from, 'RESP version must be 2 or 3.')
      host.setProtocol(protocol)
      return 0
    },
    acl_check_cmd: (from) => {
      const count = lua._lua_gettop(from)
      if (count === 0)
        return machine.raiseText(from, 'Please specify at least one argument for this redis.acl_check_cmd() call')
      const words = Array.from({ length: count }, (_, at) => machine.text(from, at + 1))
      if (words.includes(undefined)) {
        return machine.raiseText(from, 'redis.acl_check_cmd() arguments must be strings or integers')
      }
      const may = host.mayCall(words as string[])
      if (may === undefined) return machine.raiseText(from, 'Invalid command passed to redis.acl_check_cmd()')
      lua._lua_pushboolean(from, may ? 1 : 0)
      return 1
    },
    // What a script changes is always logged by its effects: these are there for scripts that were written before that.
    replicate_commands: (from) => none(from, 1),
    set_repl: (from) => {
      const flags = lua._lua_tonumber(from, 1)
      if (lua._lua_gettop(from) !== 1) return machine.raiseText(from, 'redis.set_repl() requires one argument.')
      if ((flags & ~3) !== 0) {
        return machine.raiseText(
          from,
          'Invalid replication flags. Please use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.',
        )
      }
      return 0
    },
    // There is no debugger.
    breakpoint: (from) => none(from, 0),
    debug: (from) => none(from),
  }
}

/** A table with one field, from a text. An error without a code gets ERR. */
function single(machine: LuaMachine, state: Pointer, name: 'err' | 'ok'): number {
  const text =
    machine.lua._lua_gettop(state) === 1 && machine.type(state, 1) === TYPE.STRING ? machine.text(state, 1) : undefined
  machine.lua._lua_createtable(state, 0, 1)
  if (text === undefined) machine.setTextField(state, -1, 'err', 'ERR wrong number or type of arguments')
  else if (name === 'ok') machine.setTextField(state, -1, 'ok', text)
  else machine.setTextField(state, -1, 'err', withCode(text.startsWith('-') ? text.slice(1) : text))
  return 1
}

function withCode(text: string): string {
  if (text === '') return 'ERR'
  return text.includes(' ') ? text : `ERR ${text}`
}

function setNumber(machine: LuaMachine, state: Pointer, name: string, value: number): void {
  machine.lua._lua_pushnumber(state, value)
  machine.setField(state, -2, name)
}

/** The name of a script: the SHA-1 of its bytes in hexadecimal. */
export function sha1(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex')
}
