import { ReplyError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { lengthened } from '../strings/change.ts'
import { applyTo, type FieldOperation, fieldOf, operationsOf } from './field-operation.ts'

/** A string as an array of numbers of any width. */
export const bitfield: Command = {
  name: 'bitfield',
  since: '3.2.0',
  group: 'bitmap',
  summary: 'Reads, sets and increases numbers of any width in a string, several at once.',
  complexity: 'O(1) for each operation',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['access', 'update']),
  keysFor: (args) => {
    const writes = args.texts(2).some((word) => /^(set|incrby)$/i.test(word))
    return writes ? oneKey('RW', ['access', 'update']) : oneKey('RO', ['access'])
  },
  syntax:
    'key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment> ...]',
  run({ db, service }, args, reply) {
    const operations = operationsOf(service, args)
    if (operations.some(changes)) change(db, args.span(1), operations, reply)
    else read(db, args.span(1), operations, reply)
  },
}

/** BITFIELD without what changes. */
export const bitfieldRo: Command = {
  name: 'bitfield_ro',
  since: '6.0.0',
  group: 'bitmap',
  summary: 'Reads numbers of any width in a string, several at once.',
  complexity: 'O(1) for each operation',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', ['access']),
  syntax: 'key [GET encoding offset ...]',
  run({ db, service }, args, reply) {
    const operations = operationsOf(service, args)
    if (operations.some(changes)) throw new ReplyError('BITFIELD_RO only supports the GET subcommand')
    read(db, args.span(1), operations, reply)
  },
}

const NO_BYTES = new Uint8Array(0)

function changes({ kind }: FieldOperation): boolean {
  return kind !== 'GET'
}

function read(db: Keyspace, key: Span, operations: readonly FieldOperation[], reply: Reply): void {
  const value = db.readString(key)
  reply.array(operations.length)
  for (const operation of operations) {
    reply.integer(value === undefined ? 0 : fieldOf(operation, value.bytes, value.start, value.end))
  }
}

function change(db: Keyspace, key: Span, operations: readonly FieldOperation[], reply: Reply): void {
  const value = db.editString(key)
  const expiresAtMs = value?.expiresAtMs
  const lastBits = operations.filter(changes).map(({ offset, bits }) => offset + bits - 1)
  const lastBit = lastBits.reduce((most, bit) => Math.max(most, bit))
  const bytes = lengthened(value, Math.floor(lastBit / 8) + 1)
  let changed = bytes.length !== value?.length
  const answers = operations.map((operation) => {
    if (operation.kind === 'GET') return fieldOf(operation, bytes, 0, bytes.length)
    const done = applyTo(bytes, operation)
    changed ||= done.changed
    return done.answer
  })
  if (changed) {
    db.setString(key, bytes, 0, bytes.length, expiresAtMs, STRING_FORM.RAW)
    db.changed(key, 'setbit', '$')
  } else {
    // A try to write is what makes a string raw (OBJECT ENCODING), also one that OVERFLOW FAIL has stopped.
    db.writePart(key, 0, NO_BYTES)
  }
  reply.array(answers.length)
  for (const answer of answers) {
    if (answer === undefined) reply.nil()
    else reply.integer(answer)
  }
}
