/** One step of BITFIELD: what its words say, and the numbers of some bits that it works with. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Service } from '../service.ts'
import { bitOffset } from './bit-offset.ts'
import { readBits, writeBits } from './bits.ts'

const INT64_MAX = 2n ** 63n - 1n

type Overflow = 'WRAP' | 'SAT' | 'FAIL'

/** A number of `bits` bits at `offset`. */
export interface FieldOperation {
  readonly kind: 'GET' | 'SET' | 'INCRBY'
  readonly signed: boolean
  readonly bits: number
  readonly offset: number
  /** What is set or added. */
  readonly amount: bigint
  readonly overflow: Overflow
}

/** Reads the steps of a command from its third word on. */
export function operationsOf(service: Service, args: Arguments): FieldOperation[] {
  const operations: FieldOperation[] = []
  let overflow: Overflow = 'WRAP'
  for (let at = 2; at < args.count; ) {
    const kind = args.option(at)
    const left = args.count - at - 1
    if (kind === 'OVERFLOW' && left >= 1) {
      overflow = overflowOf(args.option(at + 1))
      at += 2
    } else if ((kind === 'GET' && left >= 2) || ((kind === 'SET' || kind === 'INCRBY') && left >= 3)) {
      const { signed, bits } = typeOf(args.text(at + 1))
      const offset = bitOffset(service, args, at + 2, bits)
      const amount = kind === 'GET' ? 0n : args.int64(at + 3)
      operations.push({ kind, signed, bits, offset, amount, overflow })
      at += kind === 'GET' ? 3 : 4
    } else throw syntaxError()
  }
  return operations
}

/** The number that an operation is about, as it is. Bits behind `end` are 0. */
export function fieldOf(operation: FieldOperation, bytes: Uint8Array, start: number, end: number): bigint {
  const value = readBits(bytes, start, end, operation.offset, operation.bits)
  return operation.signed ? BigInt.asIntN(operation.bits, value) : value
}

/** Does a step that changes. Returns its answer, the number before (SET) or after; `undefined`: it would overflow and must not. */
export function applyTo(
  bytes: Uint8Array,
  operation: FieldOperation,
): { readonly answer: bigint | undefined; readonly changed: boolean } {
  const { kind, bits, offset } = operation
  const old = fieldOf(operation, bytes, 0, bytes.length)
  const value = fitting(operation, kind === 'SET' ? given(operation) : old + operation.amount)
  if (value === undefined) return { answer: undefined, changed: false }
  writeBits(bytes, offset, bits, value)
  return { answer: kind === 'SET' ? old : value, changed: value !== old }
}

/** What SET was given; below 0 it is a large number to a field without sign. */
function given({ signed, amount }: FieldOperation): bigint {
  return signed ? amount : BigInt.asUintN(64, amount)
}

function fitting({ kind, signed, bits, overflow }: FieldOperation, value: bigint): bigint | undefined {
  const size = 1n << BigInt(bits)
  const min = signed ? -size / 2n : 0n
  const max = min + size - 1n
  if (value >= min && value <= max) return value
  if (overflow === 'FAIL') return undefined
  // Redis takes a number to set as too high where its distance from the highest does not fit into 64 bits.
  const above = value > max || (kind === 'SET' && max - value > INT64_MAX)
  if (overflow === 'SAT') return above ? max : min
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

function overflowOf(name: string): Overflow {
  if (name === 'WRAP' || name === 'SAT' || name === 'FAIL') return name
  throw new ReplyError('Invalid OVERFLOW type specified')
}

function typeOf(text: string): { signed: boolean; bits: number } {
  const match = /^([iu])([1-9]\d?)$/.exec(text)
  const signed = match?.[1] === 'i'
  const bits = Number(match?.[2])
  if (match && bits <= (signed ? 64 : 63)) return { signed, bits }
  throw new ReplyError('Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.')
}
