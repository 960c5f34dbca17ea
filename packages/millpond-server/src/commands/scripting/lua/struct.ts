/** `struct`: numbers and texts as fixed layouts of bytes, as Roberto Ierusalimschy's library has them for Lua 5.1. */
import type { LuaMachine } from './machine.ts'
import type { Pointer } from './wasm.ts'

const INTEGER_BYTES_MAX = 32
const ALIGNMENT_MAX = 8

/** One letter of a format, with the number behind it. */
interface Field {
  readonly letter: string
  readonly bytes: number
  readonly little: boolean
  /** Bytes to leave out before it. */
  readonly padding: number
}

class StructProblem extends Error {}

/** Pushes the library `struct`. */
export function pushStruct(machine: LuaMachine, state: Pointer): void {
  const guarded =
    (run: (from: Pointer) => number) =>
    (from: Pointer): number => {
      try {
        return run(from)
      } catch (error) {
        if (!(error instanceof StructProblem)) throw error
        return machine.raiseText(from, error.message)
      }
    }
  machine.pushLibrary(state, {
    pack: guarded((from) => pack(machine, from)),
    unpack: guarded((from) => unpack(machine, from)),
    size: guarded((from) => {
      let size = 0
      for (const { letter, bytes, padding } of fieldsOf(formatAt(machine, from), () => size)) {
        if (letter === 's' || (letter === 'c' && bytes === 0)) throw new StructProblem('variable-length format')
        size += padding + bytes
      }
      machine.lua._lua_pushnumber(from, size)
      return 1
    }),
  })
}

function formatAt(machine: LuaMachine, state: Pointer): string {
  const format = machine.text(state, 1)
  if (format === undefined) throw new StructProblem('bad argument #1 (string expected)')
  return format
}

/** The fields of a format. `at` tells how many bytes lie before the next one, for its alignment. */
function* fieldsOf(format: string, at: () => number): Generator<Field> {
  let little = true
  let alignment = 1
  for (const [, letter, digits] of format.matchAll(/([^\d])(\d*)/g)) {
    const number = digits === '' ? undefined : Number(digits)
    if (letter === ' ') continue
    if (letter === '>' || letter === '<') little = letter === '<'
    else if (letter === '!') {
      alignment = number ?? ALIGNMENT_MAX
      if ((alignment & (alignment - 1)) !== 0 || alignment === 0)
        throw new StructProblem('alignment is not a power of 2')
    } else {
      const bytes = sizeOf(letter!, number)
      const aligned = 'bBxcs'.includes(letter!) ? 1 : Math.min(bytes, alignment)
      yield {
        letter: letter!,
        bytes,
        little,
        padding: aligned > 1 ? (aligned - (at() & (aligned - 1))) & (aligned - 1) : 0,
      }
    }
  }
}

function sizeOf(letter: string, number: number | undefined): number {
  const fixed: Readonly<Record<string, number>> = { b: 1, B: 1, h: 2, H: 2, l: 8, L: 8, T: 8, f: 4, d: 8, x: 1, s: 0 }
  if (letter === 'i' || letter === 'I') {
    if (number !== undefined && (number > INTEGER_BYTES_MAX || number === 0)) {
      throw new StructProblem(`integral size ${number} is larger than limit of ${INTEGER_BYTES_MAX}`)
    }
    return number ?? 4
  }
  if (letter === 'c') return number ?? 1
  const size = fixed[letter]
  if (size === undefined) throw new StructProblem(`invalid format option '${letter}'`)
  return size
}

function pack(machine: LuaMachine, state: Pointer): number {
  const parts: Buffer[] = []
  let length = 0
  let argument = 2
  for (const { letter, bytes, little, padding } of fieldsOf(formatAt(machine, state), () => length)) {
    let part: Buffer
    if (letter === 'x') part = Buffer.alloc(1)
    else if (letter === 's' || letter === 'c') part = textPart(machine, state, argument++, letter, bytes)
    else part = numberPart(letter, bytes, little, numberAt(machine, state, argument++))
    parts.push(Buffer.alloc(padding), part)
    length += padding + part.length
  }
  const all = Buffer.concat(parts)
  machine.pushBytes(state, all, 0, all.length)
  return 1
}

function textPart(machine: LuaMachine, state: Pointer, argument: number, letter: string, bytes: number): Buffer {
  const text = machine.text(state, argument)
  if (text === undefined) throw new StructProblem(`bad argument #${argument} to 'pack' (string expected)`)
  if (letter === 's') return Buffer.from(`${text}\0`, 'latin1')
  if (text.length < bytes) throw new StructProblem(`bad argument #${argument} to 'pack' (string too short)`)
  return Buffer.from(bytes === 0 ? text : text.slice(0, bytes), 'latin1')
}

function numberAt(machine: LuaMachine, state: Pointer, argument: number): number {
  if (machine.text(state, argument) !== undefined) return machine.lua._lua_tonumber(state, argument)
  throw new StructProblem(`bad argument #${argument} to 'pack' (number expected)`)
}

function numberPart(letter: string, bytes: number, little: boolean, value: number): Buffer {
  const part = Buffer.alloc(bytes)
  if (letter === 'f') part.writeFloatBE(value)
  else if (letter === 'd') part.writeDoubleBE(value)
  else {
    let rest = BigInt.asUintN(64, BigInt(Number.isFinite(value) ? Math.trunc(value) : 0))
    for (let at = bytes - 1; at >= 0; at--, rest >>= 8n) part[at] = Number(rest & 0xffn)
  }
  return little ? part.reverse() : part
}

function unpack(machine: LuaMachine, state: Pointer): number {
  const format = formatAt(machine, state)
  const text = machine.text(state, 2)
  if (text === undefined) throw new StructProblem("bad argument #2 to 'unpack' (string expected)")
  const start = machine.type(state, 3) > 0 ? machine.lua._lua_tonumber(state, 3) : 1
  if (start < 1) throw new StructProblem('offset must be 1 or greater')
  const data = Buffer.from(text, 'latin1')
  let at = start - 1
  let values = 0
  let last = 0
  for (const { letter, bytes, little, padding } of fieldsOf(format, () => at)) {
    at += padding
    const size = letter === 'c' && bytes === 0 ? countBefore(machine, state, values, last) : bytes
    if (at + size > data.length) throw new StructProblem("bad argument #2 to 'unpack' (data string too short)")
    machine.lua._lua_checkstack(state, 2)
    if (letter === 's') {
      const end = data.indexOf(0, at)
      if (end < 0) throw new StructProblem('unfinished string in data')
      machine.pushBytes(state, data, at, end)
      at = end + 1
      values++
      continue
    }
    if (letter === 'c') {
      if (bytes === 0) values--
      machine.pushBytes(state, data, at, at + size)
      values++
    } else if (letter !== 'x') {
      last = numberOf(letter, little, data.subarray(at, at + size))
      machine.lua._lua_pushnumber(state, last)
      values++
    }
    at += size
  }
  machine.lua._lua_pushnumber(state, at + 1)
  return values + 1
}

/** `c0` takes its length from the number that was read before it, which is then not a result. */
function countBefore(machine: LuaMachine, state: Pointer, values: number, last: number): number {
  if (values === 0 || !(last >= 0)) throw new StructProblem("format 'c0' needs a previous size")
  machine.pop(state)
  return Math.trunc(last)
}

function numberOf(letter: string, little: boolean, bytes: Buffer): number {
  const ordered = little ? Buffer.from(bytes).reverse() : bytes
  if (letter === 'f') return ordered.readFloatBE()
  if (letter === 'd') return ordered.readDoubleBE()
  let value = 0n
  for (const byte of ordered.subarray(-8)) value = (value << 8n) | BigInt(byte)
  const bits = Math.min(ordered.length, 8) * 8
  return Number(letter === letter.toLowerCase() ? BigInt.asIntN(bits, value) : value)
}
