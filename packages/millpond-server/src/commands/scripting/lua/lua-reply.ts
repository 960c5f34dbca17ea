/** Takes the answer of a command as Lua values on a stack, as scripts expect them. */

import { formatDouble } from '../../../engine/numbers.ts'
import type { Reply } from '../../../engine/reply.ts'
import type { LuaMachine } from './machine.ts'
import type { Pointer } from './wasm.ts'

/** An aggregate whose parts are still to come; its table is on the stack. */
interface Open {
  readonly kind: 'list' | 'map' | 'set'
  /** Values that are still to come: of a map, keys count too. */
  left: number
  index: number
}

/**
 * In RESP2, which scripts speak unless they called `redis.setresp(3)`: a status is `{ ok = text }`, an error `{ err = text }`, no
 * value is `false`, maps are flat lists. In RESP3 a map is `{ map = {...} }`, a set `{ set = {...} }`, no value is `nil`,
 * a double `{ double = number }` and so on.
 */
export class LuaReply implements Reply {
  /** What the command failed with, if it did. */
  failure: string | undefined
  protocol: 2 | 3 = 2
  readonly #machine: LuaMachine
  #state: Pointer = 0
  readonly #open: Open[] = []

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  /** The next answer goes on this stack. */
  begin(state: Pointer, protocol: 2 | 3): void {
    this.#state = state
    this.protocol = protocol
    this.failure = undefined
    this.#open.length = 0
  }

  ok(): void {
    this.simple('OK')
  }

  simple(text: string): void {
    this.#field('ok', text)
  }

  error(text: string): void {
    if (this.#open.length === 0) this.failure = text
    this.#machine.pushError(this.#state, text)
    this.#placed()
  }

  integer(value: number | bigint): void {
    this.#machine.lua._lua_pushnumber(this.#state, Number(value))
    this.#placed()
  }

  bulk(text: string): void {
    this.#machine.pushText(this.#state, text)
    this.#placed()
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#machine.pushBytes(this.#state, bytes, start, end)
    this.#placed()
  }

  nil(): void {
    if (this.protocol === 3) this.#machine.lua._lua_pushnil(this.#state)
    else this.#machine.lua._lua_pushboolean(this.#state, 0)
    this.#placed()
  }

  nilArray(): void {
    this.nil()
  }

  array(length: number): void {
    this.#begin('list', length)
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.#begin('map', pairs * 2)
    else this.#begin('list', pairs * 2)
  }

  set(length: number): void {
    this.#begin(this.protocol === 3 ? 'set' : 'list', length)
  }

  push(length: number): void {
    this.#begin('list', length)
  }

  double(value: number, text: string = formatDouble(value)): void {
    if (this.protocol === 2) {
      this.bulk(text)
      return
    }
    this.#machine.lua._lua_createtable(this.#state, 0, 1)
    this.#machine.lua._lua_pushnumber(this.#state, value)
    this.#machine.setField(this.#state, -2, 'double')
    this.#placed()
  }

  boolean(value: boolean): void {
    if (this.protocol === 2) {
      this.integer(value ? 1 : 0)
      return
    }
    this.#machine.lua._lua_pushboolean(this.#state, value ? 1 : 0)
    this.#placed()
  }

  bigNumber(digits: string): void {
    if (this.protocol === 2) this.bulk(digits)
    else this.#field('big_number', digits)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text)
      return
    }
    const { lua } = this.#machine
    lua._lua_createtable(this.#state, 0, 1)
    lua._lua_createtable(this.#state, 0, 2)
    this.#machine.setTextField(this.#state, -1, 'format', format)
    this.#machine.setTextField(this.#state, -1, 'string', text)
    this.#machine.setField(this.#state, -2, 'verbatim_string')
    this.#placed()
  }

  #field(name: string, text: string): void {
    this.#machine.lua._lua_createtable(this.#state, 0, 1)
    this.#machine.setTextField(this.#state, -1, name, text)
    this.#placed()
  }

  #begin(kind: Open['kind'], left: number): void {
    const { lua } = this.#machine
    lua._lua_checkstack(this.#state, 6)
    if (kind !== 'list') lua._lua_createtable(this.#state, 0, 1)
    lua._lua_createtable(this.#state, kind === 'list' ? left : 0, kind === 'list' ? 0 : left)
    if (left > 0) {
      this.#open.push({ kind, left, index: 0 })
      return
    }
    this.#finish(kind)
    this.#placed()
  }

  /** A value is complete and on top: it goes into what is open, which may be complete by that. */
  #placed(): void {
    const { lua } = this.#machine
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      open.left--
      open.index++
      if (open.kind === 'list') lua._lua_rawseti(this.#state, -2, open.index)
      else if (open.kind === 'set') {
        lua._lua_pushboolean(this.#state, 1)
        lua._lua_rawset(this.#state, -3)
      } else if (open.index % 2 === 0) lua._lua_rawset(this.#state, -3)
      if (open.left > 0) return
      this.#open.pop()
      this.#finish(open.kind)
    }
  }

  /** A map or a set lies in a table that names it. */
  #finish(kind: Open['kind']): void {
    if (kind !== 'list') this.#machine.setField(this.#state, -2, kind)
  }
}
