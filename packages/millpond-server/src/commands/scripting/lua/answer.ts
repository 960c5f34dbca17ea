/** Gives what a script returned as an answer: the way back of lua-reply.ts. */
import type { Reply } from '../../../engine/reply.ts'
import type { LuaMachine } from './machine.ts'
import { type Pointer, TYPE } from './wasm.ts'

/** An error that a script returned. */
export interface ReturnedError {
  readonly text: string
  /** It came from a command, whose failure has been counted. */
  readonly counted: boolean
}

/** Tables inside each other: one may contain itself. */
const DEPTH_MAX = 1000

/** Names the field of an error's table that says so. */
export const COUNTED = 'ignore_error_stats_update'

/**
 * Answers with the value on top of the stack, and takes it away. Returns the error that it was, if it was one.
 *
 * @param protocol RESP3 where both the client and the script speak it: a boolean is one
 */
export function answer(
  machine: LuaMachine,
  state: Pointer,
  reply: Reply,
  protocol: 2 | 3,
  depth = 0,
): ReturnedError | undefined {
  const { lua } = machine
  let failure: ReturnedError | undefined
  if (depth > DEPTH_MAX || lua._lua_checkstack(state, 6) === 0) {
    failure = { text: 'ERR reached lua stack limit', counted: false }
    reply.error(failure.text)
  } else {
    switch (machine.type(state, -1)) {
      case TYPE.STRING:
        reply.bulk(machine.text(state, -1)!)
        break
      case TYPE.NUMBER:
        reply.integer(toInteger(lua._lua_tonumber(state, -1)))
        break
      case TYPE.BOOLEAN:
        boolean(reply, lua._lua_toboolean(state, -1) === 1, protocol)
        break
      case TYPE.TABLE:
        failure = table(machine, state, reply, protocol, depth)
        break
      default:
        reply.nil()
    }
  }
  machine.pop(state)
  return failure
}

function boolean(reply: Reply, value: boolean, protocol: 2 | 3): void {
  if (protocol === 3) reply.boolean(value)
  else if (value) reply.integer(1)
  else reply.nil()
}

/** As C casts a double to 64 bits. */
function toInteger(value: number): number | bigint {
  if (Number.isNaN(value) || Math.abs(value) >= 2 ** 63) return -(2n ** 63n)
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? whole : BigInt(whole)
}

function table(
  machine: LuaMachine,
  state: Pointer,
  reply: Reply,
  protocol: 2 | 3,
  depth: number,
): ReturnedError | undefined {
  const text = machine.rawFieldText(state, -1, 'err')
  if (text !== undefined) {
    reply.error(text)
    return { text, counted: machine.rawFieldText(state, -1, COUNTED) !== undefined }
  }
  const status = machine.rawFieldText(state, -1, 'ok')
  if (status !== undefined) reply.simple(status.replaceAll(/[\r\n]/g, ' '))
  else if (!typed(machine, state, reply, protocol, depth)) list(machine, state, reply, protocol, depth)
  return undefined
}

/** Tables that name a type of RESP3. */
function typed(machine: LuaMachine, state: Pointer, reply: Reply, protocol: 2 | 3, depth: number): boolean {
  machine.pushRawField(state, -1, 'double')
  const isDouble = machine.type(state, -1) === TYPE.NUMBER
  if (isDouble) reply.double(machine.lua._lua_tonumber(state, -1))
  machine.pop(state)
  if (isDouble) return true
  const big = machine.rawFieldText(state, -1, 'big_number')
  if (big !== undefined) {
    reply.bigNumber(big.replaceAll(/[\r\n]/g, ' '))
    return true
  }
  return verbatim(machine, state, reply) || entries(machine, state, reply, protocol, depth)
}

function verbatim(machine: LuaMachine, state: Pointer, reply: Reply): boolean {
  machine.pushRawField(state, -1, 'verbatim_string')
  const given = machine.isTable(state, -1)
  const format = given ? machine.rawFieldText(state, -1, 'format') : undefined
  const text = given ? machine.rawFieldText(state, -1, 'string') : undefined
  machine.pop(state)
  if (format === undefined || text === undefined) return false
  reply.verbatim(format, text)
  return true
}

function entries(machine: LuaMachine, state: Pointer, reply: Reply, protocol: 2 | 3, depth: number): boolean {
  const { lua } = machine
  for (const name of ['map', 'set'] as const) {
    machine.pushRawField(state, -1, name)
    if (machine.isTable(state, -1)) {
      const count = countOf(machine, state)
      if (name === 'map') reply.map(count)
      else reply.set(count)
      lua._lua_pushnil(state)
      while (lua._lua_next(state, -2) !== 0) {
        // `lua_next` needs the key as it is, so a copy is answered with.
        if (name === 'set') machine.pop(state)
        lua._lua_pushvalue(state, name === 'set' ? -1 : -2)
        answer(machine, state, reply, protocol, depth + 1)
        if (name === 'map') answer(machine, state, reply, protocol, depth + 1)
      }
      machine.pop(state)
      return true
    }
    machine.pop(state)
  }
  return false
}

function countOf(machine: LuaMachine, state: Pointer): number {
  let count = 0
  machine.lua._lua_pushnil(state)
  for (; machine.lua._lua_next(state, -2) !== 0; count++) machine.pop(state)
  return count
}

/** A list ends at its first nil. */
function list(machine: LuaMachine, state: Pointer, reply: Reply, protocol: 2 | 3, depth: number): void {
  const { lua } = machine
  let length = 0
  for (; ; length++) {
    lua._lua_rawgeti(state, -1, length + 1)
    const end = machine.type(state, -1) === TYPE.NIL
    machine.pop(state)
    if (end) break
  }
  reply.array(length)
  for (let index = 1; index <= length; index++) {
    lua._lua_rawgeti(state, -1, index)
    answer(machine, state, reply, protocol, depth + 1)
  }
}
