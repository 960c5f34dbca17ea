/** `bit`: operations on 32 bits, as Mike Pall's BitOp library has them for Lua 5.1. */
import type { LuaFunction, LuaMachine } from './machine.ts'
import { type Pointer, TYPE } from './wasm.ts'

/** Pushes the library `bit`. */
export function pushBits(machine: LuaMachine, state: Pointer): void {
  const number = (from: Pointer, at: number): number => {
    const value = machine.lua._lua_tonumber(from, at)
    if (value === 0 && machine.type(from, at) !== TYPE.NUMBER && machine.text(from, at) === undefined) {
      return machine.raiseText(from, `bad argument #${at} (number expected)`)
    }
    return toBits(value)
  }
  const unary =
    (run: (value: number) => number): LuaFunction =>
    (from) => {
      machine.lua._lua_pushnumber(from, run(number(from, 1)) | 0)
      return 1
    }
  const shift =
    (run: (value: number, by: number) => number): LuaFunction =>
    (from) => {
      machine.lua._lua_pushnumber(from, run(number(from, 1), number(from, 2) & 31) | 0)
      return 1
    }
  const fold =
    (run: (one: number, other: number) => number): LuaFunction =>
    (from) => {
      let value = number(from, 1)
      for (let at = machine.lua._lua_gettop(from); at > 1; at--) value = run(value, number(from, at))
      machine.lua._lua_pushnumber(from, value | 0)
      return 1
    }
  machine.pushLibrary(state, {
    tobit: unary((value) => value),
    bnot: unary((value) => ~value),
    bswap: unary(
      (value) => ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24),
    ),
    band: fold((one, other) => one & other),
    bor: fold((one, other) => one | other),
    bxor: fold((one, other) => one ^ other),
    lshift: shift((value, by) => value << by),
    rshift: shift((value, by) => value >>> by),
    arshift: shift((value, by) => value >> by),
    rol: shift((value, by) => (value << by) | (value >>> (32 - by))),
    ror: shift((value, by) => (value >>> by) | (value << (32 - by))),
    tohex: (from) => {
      const digits = machine.type(from, 2) > TYPE.NIL ? number(from, 2) : 8
      const count = Math.min(8, Math.abs(digits))
      const text = (number(from, 1) >>> 0)
        .toString(16)
        .padStart(8, '0')
        .slice(8 - count)
      machine.pushText(from, digits < 0 ? text.toUpperCase() : text)
      return 1
    },
  })
}

/** A number of Lua as 32 bits: rounded to the nearest whole number, halves to even, modulo 2^32. */
function toBits(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
  return rounded | 0
}
