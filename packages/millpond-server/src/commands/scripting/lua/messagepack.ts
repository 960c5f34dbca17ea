/** `cmsgpack`: MessagePack for scripts, as Redis's lua-cmsgpack packs and unpacks it. Source: the MessagePack specification. */
import type { LuaMachine } from './machine.ts'
import { type Pointer, TYPE } from './wasm.ts'

/** Tables inside each other below this are packed as nil: a table may contain itself. */
const DEPTH_MAX = 16

class MessagePackProblem extends Error {}

/** Pushes the library `cmsgpack`. */
export function pushMessagePack(machine: LuaMachine, state: Pointer): void {
  const unpack = (from: Pointer, limit: number, offset: number, told: boolean): number => {
    const text = machine.text(from, 1)
    if (text === undefined) return machine.raiseText(from, "bad argument #1 to 'unpack' (string expected)")
    const reader = new Reader(machine, from, Buffer.from(text, 'latin1'), offset)
    if (offset < 0 || limit < 0)
      return machine.raiseText(from, `Invalid request to unpack with offset of ${offset} and limit of ${limit}.`)
    if (offset > text.length)
      return machine.raiseText(from, `Start offset ${offset} greater than input length ${text.length}.`)
    if (told) machine.lua._lua_pushnil(from)
    const place = machine.lua._lua_gettop(from)
    let count = 0
    try {
      for (; !reader.isAtEnd && (limit === 0 || count < limit); count++) reader.read()
    } catch (error) {
      if (!(error instanceof MessagePackProblem)) throw error
      return machine.raiseText(from, error.message)
    }
    if (!told) return count
    machine.lua._lua_pushnumber(from, reader.isAtEnd ? -1 : reader.at)
    machine.lua._lua_insert(from, place)
    machine.lua._lua_remove(from, place + 1)
    return count + 1
  }
  const argument = (from: Pointer, at: number): number =>
    machine.type(from, at) > TYPE.NIL ? Math.trunc(machine.lua._lua_tonumber(from, at)) : 0
  machine.pushLibrary(state, {
    pack: (from) => {
      const count = machine.lua._lua_gettop(from)
      if (count === 0) return machine.raiseText(from, "bad argument #0 to 'pack' (MessagePack pack needs input.)")
      const writer = new Writer(machine, from)
      for (let at = 1; at <= count; at++) {
        machine.lua._lua_pushvalue(from, at)
        writer.write(0)
        machine.pop(from)
      }
      const bytes = writer.bytes()
      machine.pushBytes(from, bytes, 0, bytes.length)
      return 1
    },
    unpack: (from) => unpack(from, 0, 0, false),
    unpack_one: (from) => unpack(from, 1, argument(from, 2), true),
    unpack_limit: (from) => unpack(from, argument(from, 2), argument(from, 3), true),
  })
  machine.setTextField(state, -1, '_NAME', 'cmsgpack')
  machine.setTextField(state, -1, '_VERSION', 'lua-cmsgpack 0.4.0')
}

class Writer {
  readonly #machine: LuaMachine
  readonly #state: Pointer
  readonly #parts: Buffer[] = []

  constructor(machine: LuaMachine, state: Pointer) {
    this.#machine = machine
    this.#state = state
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  /** Writes the value on top of the stack, and leaves it there. */
  write(depth: number): void {
    const { lua } = this.#machine
    const type = this.#machine.type(this.#state, -1)
    if (type === TYPE.STRING) this.#text(Buffer.from(this.#machine.text(this.#state, -1)!, 'latin1'))
    else if (type === TYPE.BOOLEAN) this.#parts.push(Buffer.of(lua._lua_toboolean(this.#state, -1) === 1 ? 0xc3 : 0xc2))
    else if (type === TYPE.NUMBER) this.#number(lua._lua_tonumber(this.#state, -1))
    else if (type === TYPE.TABLE && depth < DEPTH_MAX) this.#table(depth)
    else this.#parts.push(Buffer.of(0xc0))
  }

  #table(depth: number): void {
    const { lua } = this.#machine
    lua._lua_checkstack(this.#state, 4)
    const { entries, isArray } = this.#shape()
    this.#head(entries, isArray ? [0x90, 15, 0xdc, 0xdd] : [0x80, 15, 0xde, 0xdf])
    if (isArray) {
      for (let index = 1; index <= entries; index++) {
        lua._lua_rawgeti(this.#state, -1, index)
        this.write(depth + 1)
        this.#machine.pop(this.#state)
      }
      return
    }
    lua._lua_pushnil(this.#state)
    while (lua._lua_next(this.#state, -2) !== 0) {
      lua._lua_pushvalue(this.#state, -2)
      this.write(depth + 1)
      this.#machine.pop(this.#state)
      this.write(depth + 1)
      this.#machine.pop(this.#state)
    }
  }

  /** How many entries a table has, and whether their keys are 1, 2, 3 and so on without a gap. */
  #shape(): { readonly entries: number; readonly isArray: boolean } {
    const { lua } = this.#machine
    let entries = 0
    let greatest = 0
    let whole = true
    lua._lua_pushnil(this.#state)
    while (lua._lua_next(this.#state, -2) !== 0) {
      const key = this.#machine.type(this.#state, -2) === TYPE.NUMBER ? lua._lua_tonumber(this.#state, -2) : 0
      if (!(key >= 1 && Number.isInteger(key))) whole = false
      greatest = Math.max(greatest, key)
      entries++
      this.#machine.pop(this.#state)
    }
    return { entries, isArray: whole && greatest === entries }
  }

  #head(length: number, [small, smallMax, sixteen, thirtyTwo]: readonly [number, number, number, number]): void {
    if (length <= smallMax) this.#parts.push(Buffer.of(small | length))
    else if (length <= 0xffff) this.#sized(sixteen, 2, (bytes) => bytes.writeUInt16BE(length, 1))
    else this.#sized(thirtyTwo, 4, (bytes) => bytes.writeUInt32BE(length, 1))
  }

  #text(bytes: Buffer): void {
    if (bytes.length > 31 && bytes.length <= 0xff) this.#parts.push(Buffer.of(0xd9, bytes.length))
    else this.#head(bytes.length, [0xa0, 31, 0xda, 0xdb])
    this.#parts.push(bytes)
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63) this.#double(value)
    else if (value >= 0) this.#natural(value)
    else this.#negative(value)
  }

  #natural(value: number): void {
    if (value <= 0x7f) this.#parts.push(Buffer.of(value))
    else if (value <= 0xff) this.#parts.push(Buffer.of(0xcc, value))
    else if (value <= 0xffff) this.#sized(0xcd, 2, (bytes) => bytes.writeUInt16BE(value, 1))
    else if (value <= 0xffff_ffff) this.#sized(0xce, 4, (bytes) => bytes.writeUInt32BE(value, 1))
    else this.#sized(0xcf, 8, (bytes) => bytes.writeBigUInt64BE(BigInt(value), 1))
  }

  #negative(value: number): void {
    if (value >= -32) this.#parts.push(Buffer.of(0x100 + value))
    else if (value >= -0x80) this.#parts.push(Buffer.of(0xd0, 0x100 + value))
    else if (value >= -0x8000) this.#sized(0xd1, 2, (bytes) => bytes.writeInt16BE(value, 1))
    else if (value >= -0x8000_0000) this.#sized(0xd2, 4, (bytes) => bytes.writeInt32BE(value, 1))
    else this.#sized(0xd3, 8, (bytes) => bytes.writeBigInt64BE(BigInt(value), 1))
  }

  #double(value: number): void {
    if (Math.fround(value) === value) this.#sized(0xca, 4, (bytes) => bytes.writeFloatBE(value, 1))
    else this.#sized(0xcb, 8, (bytes) => bytes.writeDoubleBE(value, 1))
  }

  #sized(code: number, length: number, write: (bytes: Buffer) => void): void {
    const bytes = Buffer.alloc(length + 1)
    bytes[0] = code
    write(bytes)
    this.#parts.push(bytes)
  }
}

class Reader {
  at: number
  readonly #machine: LuaMachine
  readonly #state: Pointer
  readonly #bytes: Buffer

  constructor(machine: LuaMachine, state: Pointer, bytes: Buffer, at: number) {
    this.#machine = machine
    this.#state = state
    this.#bytes = bytes
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length
  }

  /** Pushes the next value. */
  read(): void {
    const { lua } = this.#machine
    lua._lua_checkstack(this.#state, 4)
    const code = this.#take(1).readUInt8()
    if (code <= 0x7f) lua._lua_pushnumber(this.#state, code)
    else if (code >= 0xe0) lua._lua_pushnumber(this.#state, code - 0x100)
    else if (code <= 0x8f) this.#map(code & 0xf)
    else if (code <= 0x9f) this.#array(code & 0xf)
    else if (code <= 0xbf) this.#text(code & 0x1f)
    else this.#coded(code)
  }

  #coded(code: number): void {
    const { lua } = this.#machine
    const number = (value: number | bigint) => lua._lua_pushnumber(this.#state, Number(value))
    if (code === 0xc0) lua._lua_pushnil(this.#state)
    else if (code === 0xc2 || code === 0xc3) lua._lua_pushboolean(this.#state, code & 1)
    else if (code === 0xc4 || code === 0xd9) this.#text(this.#take(1).readUInt8())
    else if (code === 0xc5 || code === 0xda) this.#text(this.#take(2).readUInt16BE())
    else if (code === 0xc6 || code === 0xdb) this.#text(this.#take(4).readUInt32BE())
    else if (code === 0xca) number(this.#take(4).readFloatBE())
    else if (code === 0xcb) number(this.#take(8).readDoubleBE())
    else if (code === 0xcc) number(this.#take(1).readUInt8())
    else if (code === 0xcd) number(this.#take(2).readUInt16BE())
    else if (code === 0xce) number(this.#take(4).readUInt32BE())
    else if (code === 0xcf) number(this.#take(8).readBigUInt64BE())
    else if (code === 0xd0) number(this.#take(1).readInt8())
    else if (code === 0xd1) number(this.#take(2).readInt16BE())
    else if (code === 0xd2) number(this.#take(4).readInt32BE())
    else if (code === 0xd3) number(this.#take(8).readBigInt64BE())
    else if (code === 0xdc) this.#array(this.#take(2).readUInt16BE())
    else if (code === 0xdd) this.#array(this.#take(4).readUInt32BE())
    else if (code === 0xde) this.#map(this.#take(2).readUInt16BE())
    else if (code === 0xdf) this.#map(this.#take(4).readUInt32BE())
    else throw new MessagePackProblem('Bad data format in input.')
  }

  #text(length: number): void {
    const bytes = this.#take(length)
    this.#machine.pushBytes(this.#state, bytes, 0, length)
  }

  #array(length: number): void {
    this.#machine.lua._lua_createtable(this.#state, 0, 0)
    for (let index = 1; index <= length; index++) {
      this.read()
      this.#machine.lua._lua_rawseti(this.#state, -2, index)
    }
  }

  #map(pairs: number): void {
    this.#machine.lua._lua_createtable(this.#state, 0, 0)
    for (let left = pairs; left > 0; left--) {
      this.read()
      if (this.#machine.type(this.#state, -1) <= TYPE.NIL) throw new MessagePackProblem('Bad data format in input.')
      this.read()
      this.#machine.lua._lua_rawset(this.#state, -3)
    }
  }

  #take(length: number): Buffer {
    if (this.at + length > this.#bytes.length) throw new MessagePackProblem('Missing bytes in input.')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }
}
