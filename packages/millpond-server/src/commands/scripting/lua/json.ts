/** `cjson`: JSON for scripts, with the names, settings and messages of lua-cjson 2.1. */
import { JsonProblem, JsonReader } from './json-text.ts'
import type { LuaFunction, LuaMachine } from './machine.ts'
import { formatG } from './numbers.ts'
import { type Pointer, TYPE } from './wasm.ts'

interface Settings {
  /** An array with holes: made an object instead of refused; refused if longer than `ratio` times its values and than `safe`. */
  sparse: { convert: boolean; ratio: number; safe: number }
  encodeDepth: number
  decodeDepth: number
  digits: number
  keepBuffer: boolean
  /** `true`, `false`, or 'null': written as null. */
  encodeInvalid: boolean | 'null'
  decodeInvalid: boolean
}

const NAMES: Readonly<Record<number, string>> = {
  [TYPE.BOOLEAN]: 'boolean',
  [TYPE.LIGHT_USERDATA]: 'userdata',
  [TYPE.TABLE]: 'table',
  [TYPE.FUNCTION]: 'function',
}

/** Pushes the library `cjson`. */
export function pushJson(machine: LuaMachine, state: Pointer): void {
  const json = new Json(machine)
  machine.pushLibrary(state, json.functions())
  machine.lua._lua_pushlightuserdata(state, 0)
  machine.setField(state, -2, 'null')
  machine.setTextField(state, -1, '_NAME', 'cjson')
  machine.setTextField(state, -1, '_VERSION', '2.1.0')
}

class Json {
  readonly #machine: LuaMachine
  readonly #settings: Settings = {
    sparse: { convert: false, ratio: 2, safe: 10 },
    encodeDepth: 1000,
    decodeDepth: 1000,
    digits: 14,
    keepBuffer: true,
    encodeInvalid: false,
    decodeInvalid: true,
  }

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  functions(): Record<string, LuaFunction> {
    const settings = this.#settings
    return {
      encode: (state) => this.#encode(state),
      decode: (state) => this.#decode(state),
      encode_sparse_array: (state) => this.#sparse(state),
      encode_max_depth: (state) => this.#number(state, 'encodeDepth', 1, 2 ** 31 - 1),
      decode_max_depth: (state) => this.#number(state, 'decodeDepth', 1, 2 ** 31 - 1),
      encode_number_precision: (state) => this.#number(state, 'digits', 1, 16),
      encode_keep_buffer: (state) => {
        if (this.#given(state, 1)) settings.keepBuffer = this.#machine.lua._lua_toboolean(state, 1) === 1
        this.#machine.lua._lua_pushboolean(state, settings.keepBuffer ? 1 : 0)
        return 1
      },
      encode_invalid_numbers: (state) => this.#invalid(state, 'encodeInvalid'),
      decode_invalid_numbers: (state) => this.#invalid(state, 'decodeInvalid'),
    }
  }

  #encode(state: Pointer): number {
    const { lua } = this.#machine
    if (lua._lua_gettop(state) !== 1)
      this.#machine.raiseText(state, "bad argument #1 to 'encode' (expected 1 argument)")
    let text: string
    try {
      const parts: string[] = []
      this.#write(state, parts, 0)
      text = parts.join('')
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error
      return this.#machine.raiseText(state, error.message)
    }
    this.#machine.pushText(state, text)
    return 1
  }

  #decode(state: Pointer): number {
    const text = this.#machine.text(state, 1)
    if (text === undefined || this.#machine.lua._lua_gettop(state) !== 1) {
      return this.#machine.raiseText(state, "bad argument #1 to 'decode' (expected 1 argument)")
    }
    const { decodeDepth, decodeInvalid } = this.#settings
    try {
      new JsonReader(this.#machine, state, text, decodeDepth, decodeInvalid).read()
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error
      return this.#machine.raiseText(state, error.message)
    }
    return 1
  }

  /** Writes the value on top of the stack, and leaves it there. */
  #write(state: Pointer, parts: string[], depth: number): void {
    const { lua } = this.#machine
    const type = this.#machine.type(state, -1)
    if (type === TYPE.STRING) parts.push(quote(this.#machine.text(state, -1)!))
    else if (type === TYPE.NUMBER) parts.push(this.#numberText(lua._lua_tonumber(state, -1)))
    else if (type === TYPE.BOOLEAN) parts.push(lua._lua_toboolean(state, -1) === 1 ? 'true' : 'false')
    else if (type === TYPE.TABLE) this.#writeTable(state, parts, depth + 1)
    else if (type === TYPE.NIL || type === TYPE.LIGHT_USERDATA) parts.push('null')
    else throw new JsonProblem(`Cannot serialise ${NAMES[type] ?? 'value'}: type not supported`)
  }

  #writeTable(state: Pointer, parts: string[], depth: number): void {
    if (depth > this.#settings.encodeDepth) {
      throw new JsonProblem(`Cannot serialise, excessive depth (${depth})`)
    }
    this.#machine.lua._lua_checkstack(state, 4)
    const length = this.#arrayLength(state)
    if (length > 0) this.#writeArray(state, parts, depth, length)
    else this.#writeObject(state, parts, depth)
  }

  /** The greatest index of a table that has only whole numbers above 0 as keys; else 0. */
  #arrayLength(state: Pointer): number {
    const { lua } = this.#machine
    let greatest = 0
    let items = 0
    lua._lua_pushnil(state)
    while (lua._lua_next(state, -2) !== 0) {
      const key = this.#machine.type(state, -2) === TYPE.NUMBER ? lua._lua_tonumber(state, -2) : 0
      if (!(key >= 1 && Number.isInteger(key))) {
        this.#machine.pop(state, 2)
        return 0
      }
      greatest = Math.max(greatest, key)
      items++
      this.#machine.pop(state)
    }
    const { convert, ratio, safe } = this.#settings.sparse
    if (ratio > 0 && greatest > items * ratio && greatest > safe) {
      if (!convert) throw new JsonProblem('Cannot serialise table: excessively sparse array')
      return 0
    }
    return greatest
  }

  #writeArray(state: Pointer, parts: string[], depth: number, length: number): void {
    parts.push('[')
    for (let index = 1; index <= length; index++) {
      if (index > 1) parts.push(',')
      this.#machine.lua._lua_rawgeti(state, -1, index)
      this.#write(state, parts, depth)
      this.#machine.pop(state)
    }
    parts.push(']')
  }

  #writeObject(state: Pointer, parts: string[], depth: number): void {
    const { lua } = this.#machine
    parts.push('{')
    let first = true
    lua._lua_pushnil(state)
    while (lua._lua_next(state, -2) !== 0) {
      if (!first) parts.push(',')
      first = false
      parts.push(this.#key(state), ':')
      this.#write(state, parts, depth)
      this.#machine.pop(state)
    }
    parts.push('}')
  }

  /** The key below the top, without changing it: `lua_next` needs it as it is. */
  #key(state: Pointer): string {
    const type = this.#machine.type(state, -2)
    if (type === TYPE.NUMBER) return `"${this.#numberText(this.#machine.lua._lua_tonumber(state, -2))}"`
    if (type === TYPE.STRING) return quote(this.#machine.text(state, -2)!)
    throw new JsonProblem(`Cannot serialise ${NAMES[type] ?? 'value'}: table key must be a number or string`)
  }

  #numberText(value: number): string {
    if (Number.isFinite(value)) return formatG(value, this.#settings.digits)
    const { encodeInvalid } = this.#settings
    if (encodeInvalid === false) throw new JsonProblem('Cannot serialise number: must not be NaN or Inf')
    if (encodeInvalid === 'null') return 'null'
    return formatG(value, this.#settings.digits)
  }

  #sparse(state: Pointer): number {
    const { lua } = this.#machine
    const { sparse } = this.#settings
    if (this.#given(state, 1)) sparse.convert = lua._lua_toboolean(state, 1) === 1
    if (this.#given(state, 2)) sparse.ratio = this.#checked(state, 2, 0, 2 ** 31 - 1)
    if (this.#given(state, 3)) sparse.safe = this.#checked(state, 3, 0, 2 ** 31 - 1)
    lua._lua_pushboolean(state, sparse.convert ? 1 : 0)
    lua._lua_pushnumber(state, sparse.ratio)
    lua._lua_pushnumber(state, sparse.safe)
    return 3
  }

  #number(state: Pointer, name: 'encodeDepth' | 'decodeDepth' | 'digits', least: number, most: number): number {
    if (this.#given(state, 1)) this.#settings[name] = this.#checked(state, 1, least, most)
    this.#machine.lua._lua_pushnumber(state, this.#settings[name])
    return 1
  }

  #invalid(state: Pointer, name: 'encodeInvalid' | 'decodeInvalid'): number {
    const { lua } = this.#machine
    if (this.#given(state, 1)) {
      const asNull = this.#machine.text(state, 1) === 'null' && name === 'encodeInvalid'
      const on = lua._lua_toboolean(state, 1) === 1
      if (name === 'encodeInvalid') this.#settings.encodeInvalid = asNull ? 'null' : on
      else this.#settings.decodeInvalid = on
    }
    const value = this.#settings[name]
    if (value === 'null') this.#machine.pushText(state, 'null')
    else lua._lua_pushboolean(state, value ? 1 : 0)
    return 1
  }

  #given(state: Pointer, at: number): boolean {
    return this.#machine.type(state, at) > TYPE.NIL
  }

  #checked(state: Pointer, at: number, least: number, most: number): number {
    const value = this.#machine.lua._lua_tonumber(state, at)
    if (value >= least && value <= most) return Math.trunc(value)
    return this.#machine.raiseText(state, `bad argument #${at} (expected integer between ${least} and ${most})`)
  }
}

const SHORT: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  47: '\\/',
  92: '\\\\',
}
/** By code: what stands for a character that JSON can not hold as it is, or that cjson escapes. */
const QUOTED: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const special = code < 32 || code === 127 ? `\\u${code.toString(16).padStart(4, '0')}` : undefined
  return SHORT[code] ?? special
})

function quote(text: string): string {
  let quoted = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const instead = QUOTED[text.charCodeAt(at)]
    if (instead === undefined) continue
    quoted += text.slice(from, at) + instead
    from = at + 1
  }
  return `"${quoted}${text.slice(from)}"`
}
