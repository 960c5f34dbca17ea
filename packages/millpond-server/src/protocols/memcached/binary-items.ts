/** The binary commands that concern one item. */
import { removeKey } from '../../commands/key-changes.ts'
import { ADDITION, add as addNumber } from './adding.ts'
import { type BinaryCommand, type BinaryRequest, fail, STATUS, type Status, succeed } from './binary-command.ts'
import type { Exchange, Served } from './exchange.ts'
import { expiryOf } from './expiry.ts'
import type { StoreMode } from './items.ts'
import { REQUEST, refuseLarge, STORE_AS, store as storeRequest } from './storing.ts'

const FLAGS_BYTES = 4
/** An expiry that says: make no item. */
const NEVER_MAKE = 0xffffffff

interface Shown {
  readonly key: boolean
  readonly value: boolean
  readonly touches: boolean
}

function get(exchange: Exchange, request: BinaryRequest, shown: Shown): Served {
  const { client, items, key, state, writer, bytes } = exchange
  const { counters, prefixes } = state
  const { nowMs } = client.service.time
  if (!exchange.begin(exchange.entry(shown.touches ? 'getex' : 'get'))) return 'put off'
  const view = exchange.fetch(true)
  if (shown.touches) counters.cmd_touch++
  else counters.cmd_get++
  prefixes?.got(key.bytes, key.start, key.end, view !== undefined)
  if (view === undefined) {
    if (shown.touches) counters.touch_misses++
    else counters.get_misses++
    exchange.finish()
    return miss(exchange, request, shown.key)
  }
  const keyLength = shown.key ? key.length : 0
  const valueLength = shown.value ? view.length : 0
  const { cas, clientFlags } = items.marks
  writer.head(
    request.opcode,
    STATUS.OK,
    FLAGS_BYTES,
    keyLength,
    FLAGS_BYTES + keyLength + valueLength,
    cas,
    request.opaque,
  )
  writer.uint32(clientFlags)
  if (shown.key) writer.part(key.bytes, key.start, key.end)
  if (shown.value) writer.part(view.bytes, view.start, view.end)
  items.fetched(client.db, key)
  if (shown.touches) {
    counters.touch_hits++
    items.touch(client, key, expiryOf(bytes.readUInt32BE(request.extrasAt), nowMs))
  } else counters.get_hits++
  exchange.finish()
  return 'done'
}

function miss(exchange: Exchange, request: BinaryRequest, withKey: boolean): Served {
  if (exchange.quiet) return 'done'
  if (!withKey) return fail(exchange, request, STATUS.NOT_FOUND)
  const { key, writer } = exchange
  writer.head(request.opcode, STATUS.NOT_FOUND, 0, key.length, key.length, 0, request.opaque)
  writer.part(key.bytes, key.start, key.end)
  return 'done'
}

function store(exchange: Exchange, request: BinaryRequest, given: StoreMode): Served {
  const { client, items, key, state, bytes } = exchange
  const joins = given === 'append' || given === 'prepend'
  const mode = request.cas !== 0 && !joins ? 'cas' : given
  const length = request.end - request.valueAt
  state.prefixes?.stored(key.bytes, key.start, key.end)
  if (items.isTooLarge(client.db, key.length, length)) {
    return refuseLarge(exchange, given) ? fail(exchange, request, STATUS.TOO_LARGE) : 'put off'
  }
  state.counters.cmd_set++
  REQUEST.mode = mode
  REQUEST.clientFlags = joins ? 0 : bytes.readUInt32BE(request.extrasAt)
  REQUEST.expiresAtMs = joins ? 0 : expiryOf(bytes.readUInt32BE(request.extrasAt + 4), client.service.time.nowMs)
  REQUEST.bytes = bytes
  REQUEST.start = request.valueAt
  REQUEST.end = request.end
  REQUEST.cas = request.cas
  REQUEST.wantsCas = true
  REQUEST.invalidates = false
  REQUEST.bits = 0
  const stored = storeRequest(exchange)
  switch (stored) {
    case 'put off':
      return stored
    case 'STORED':
      return succeed(exchange, request, items.cas)
    case 'EXISTS':
      return fail(exchange, request, STATUS.EXISTS)
    case 'NOT_FOUND':
      return fail(exchange, request, STATUS.NOT_FOUND)
    case 'OUT_OF_MEMORY':
      return fail(exchange, request, STATUS.OUT_OF_MEMORY)
    default:
      return fail(exchange, request, notStored(mode))
  }
}

function notStored(mode: StoreMode): Status {
  return mode === 'add' ? STATUS.EXISTS : mode === 'replace' ? STATUS.NOT_FOUND : STATUS.NOT_STORED
}

function add(exchange: Exchange, request: BinaryRequest, up: boolean): Served {
  const { client, items, writer, bytes } = exchange
  const seconds = bytes.readUInt32BE(request.extrasAt + 16)
  ADDITION.delta = bytes.readBigUInt64BE(request.extrasAt)
  ADDITION.initial = bytes.readBigUInt64BE(request.extrasAt + 8)
  ADDITION.up = up
  ADDITION.cas = request.cas
  ADDITION.wantsCas = true
  ADDITION.vivifyAtMs = seconds === NEVER_MAKE ? -1 : expiryOf(seconds, client.service.time.nowMs)
  const outcome = addNumber(exchange)
  if (outcome === 'put off') return outcome
  exchange.finish()
  if (outcome !== 'OK' && outcome !== 'MADE') return fail(exchange, request, ADD_STATUS[outcome])
  if (exchange.quiet) return 'done'
  const sum = Buffer.alloc(8)
  sum.writeBigUInt64BE(BigInt(items.sum))
  writer.head(request.opcode, STATUS.OK, 0, 0, 8, items.cas, request.opaque)
  writer.part(sum, 0, 8)
  return 'done'
}

const ADD_STATUS = {
  NOT_FOUND: STATUS.NOT_FOUND,
  NON_NUMERIC: STATUS.NOT_NUMERIC,
  EXISTS: STATUS.EXISTS,
  OUT_OF_MEMORY: STATUS.OUT_OF_MEMORY,
} as const

function remove(exchange: Exchange, request: BinaryRequest): Served {
  const { client, items, key, state } = exchange
  const { counters, prefixes } = state
  prefixes?.deleted(key.bytes, key.start, key.end)
  if (!exchange.begin(exchange.entry('del'))) return 'put off'
  const view = items.look(client.db, key, false)
  const isThere = view !== undefined || items.holdsOther
  const isSame = request.cas === 0 || (view !== undefined && items.marks.cas === request.cas)
  if (isThere && isSame) removeKey(client, key)
  exchange.finish()
  if (!isThere) {
    counters.delete_misses++
    return fail(exchange, request, STATUS.NOT_FOUND)
  }
  if (!isSame) return fail(exchange, request, STATUS.EXISTS)
  counters.delete_hits++
  return succeed(exchange, request)
}

function getCommand(opcode: number, quietOpcode: number, name: string, shown: Shown): BinaryCommand {
  const touched = shown.touches ? ', and lets it expire at another time' : ''
  return {
    opcode,
    quietOpcode,
    name,
    as: shown.touches ? 'getex' : 'get',
    summary: `Returns an item${shown.key ? ' with its key' : ''}${touched}.`,
    fits: ({ extras, keyLength, bodyLength }) =>
      shown.touches ? extras === 4 && keyLength > 0 : extras === 0 && keyLength > 0 && bodyLength === keyLength,
    run: (exchange, request) => get(exchange, request, shown),
  }
}

function storeCommand(opcode: number, quietOpcode: number, name: StoreMode, summary: string): BinaryCommand {
  const joins = name === 'append' || name === 'prepend'
  return {
    opcode,
    quietOpcode,
    name,
    as: STORE_AS[name],
    summary,
    fits: ({ extras, keyLength }) => keyLength > 0 && extras === (joins ? 0 : 8),
    run: (exchange, request) => store(exchange, request, name),
  }
}

export const itemCommands: readonly BinaryCommand[] = [
  getCommand(0x00, 0x09, 'get', { key: false, value: true, touches: false }),
  getCommand(0x0c, 0x0d, 'getk', { key: true, value: true, touches: false }),
  getCommand(0x1d, 0x1e, 'gat', { key: false, value: true, touches: true }),
  getCommand(0x23, 0x24, 'gatk', { key: true, value: true, touches: true }),
  {
    opcode: 0x1c,
    name: 'touch',
    as: 'getex',
    summary: 'Lets an item expire at another time.',
    fits: ({ extras, keyLength }) => extras === 4 && keyLength > 0,
    run: (exchange, request) => get(exchange, request, { key: false, value: false, touches: true }),
  },
  storeCommand(0x01, 0x11, 'set', 'Stores an item; with a cas only in place of that one.'),
  storeCommand(0x02, 0x12, 'add', 'Stores an item if there is none.'),
  storeCommand(0x03, 0x13, 'replace', 'Stores an item if there is one.'),
  storeCommand(0x0e, 0x19, 'append', 'Puts bytes behind those of an item.'),
  storeCommand(0x0f, 0x1a, 'prepend', 'Puts bytes before those of an item.'),
  {
    opcode: 0x04,
    quietOpcode: 0x14,
    name: 'delete',
    as: 'del',
    summary: 'Removes an item.',
    fits: ({ extras, keyLength, bodyLength }) => extras === 0 && keyLength > 0 && bodyLength === keyLength,
    run: remove,
  },
  {
    opcode: 0x05,
    quietOpcode: 0x15,
    name: 'increment',
    as: 'incrby',
    summary: 'Adds to a number, and makes it where there is none.',
    fits: ({ extras, keyLength, bodyLength }) => keyLength > 0 && extras === 20 && bodyLength === keyLength + 20,
    run: (exchange, request) => add(exchange, request, true),
  },
  {
    opcode: 0x06,
    quietOpcode: 0x16,
    name: 'decrement',
    as: 'decrby',
    summary: 'Takes from a number, down to 0, and makes it where there is none.',
    fits: ({ extras, keyLength, bodyLength }) => keyLength > 0 && extras === 20 && bodyLength === keyLength + 20,
    run: (exchange, request) => add(exchange, request, false),
  },
]
