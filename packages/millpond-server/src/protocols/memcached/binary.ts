/** The binary protocol: a head of 24 bytes, then extras, key and value. */
import type { ReplyError } from '../../engine/errors.ts'
import { type BinaryCommand, BinaryRequest, fail, STATUS } from './binary-command.ts'
import { itemCommands } from './binary-items.ts'
import { serverCommands } from './binary-server.ts'
import { type Exchange, KEY_BYTES_MAX, type Served } from './exchange.ts'

export const BINARY_COMMANDS: readonly BinaryCommand[] = [...itemCommands, ...serverCommands]

/** The first byte of every request, and so of the connection. */
export const BINARY_MAGIC = 0x80
const HEAD_BYTES = 24
/** What stands before a value is not longer. */
const AROUND_VALUE_MAX = 1024

const BY_OPCODE: (BinaryCommand | undefined)[] = []
const QUIET: boolean[] = []
for (const command of BINARY_COMMANDS) {
  BY_OPCODE[command.opcode] = command
  if (command.quietOpcode === undefined) continue
  BY_OPCODE[command.quietOpcode] = command
  QUIET[command.quietOpcode] = true
}

/** Before a client has said who it is. */
const BEFORE_AUTHENTICATION: ReadonlySet<string> = new Set(['sasl list mechs', 'sasl auth', 'sasl step', 'version'])

const REQUEST = new BinaryRequest()

/** Serves the request that begins at `at`. */
export function serveBinary(exchange: Exchange, at: number): Served {
  const { bytes, end } = exchange
  if (bytes[at] !== BINARY_MAGIC) return 'close'
  if (end - at < HEAD_BYTES) return exchange.needs(at + HEAD_BYTES)
  const request = REQUEST
  readHead(request, bytes, at)
  exchange.quiet = false
  exchange.next = request.end
  const { extras, keyLength, bodyLength } = request
  if (keyLength + extras > bodyLength) return endAfter(fail(exchange, request, STATUS.UNKNOWN_COMMAND))
  const command = BY_OPCODE[request.opcode]
  if (exchange.client.mustAuthenticate && !(command && BEFORE_AUTHENTICATION.has(command.name))) {
    return endAfter(fail(exchange, request, STATUS.AUTH_ERROR))
  }
  if (keyLength > KEY_BYTES_MAX) return endAfter(fail(exchange, request, STATUS.INVALID))
  if (command === undefined) {
    exchange.next = at + HEAD_BYTES
    exchange.skip = bodyLength
    return fail(exchange, request, STATUS.UNKNOWN_COMMAND)
  }
  if (!command.fits(request)) return endAfter(fail(exchange, request, STATUS.INVALID))
  // What is too large is refused before it has come whole.
  const isLarge = bodyLength > exchange.client.db.cache.itemBytesMax + AROUND_VALUE_MAX
  const needed = isLarge ? request.valueAt : request.end
  if (needed > end) return exchange.needs(needed)
  exchange.key.bytes = bytes
  exchange.key.start = request.keyAt
  exchange.key.end = request.keyAt + keyLength
  exchange.quiet = QUIET[request.opcode] === true
  if (isLarge) {
    exchange.next = request.valueAt
    exchange.skip = request.end - request.valueAt
  }
  return command.run(exchange, request)
}

function readHead(request: BinaryRequest, bytes: Buffer, at: number): void {
  request.opcode = bytes[at + 1]!
  request.keyLength = (bytes[at + 2]! << 8) | bytes[at + 3]!
  request.extras = bytes[at + 4]!
  request.bodyLength = bytes.readUInt32BE(at + 8)
  request.opaque = bytes.subarray(at + 12, at + 16)
  request.cas = bytes.readUInt32BE(at + 16) * 2 ** 32 + bytes.readUInt32BE(at + 20)
  request.extrasAt = at + HEAD_BYTES
  request.keyAt = request.extrasAt + request.extras
  request.valueAt = request.keyAt + request.keyLength
  request.end = request.extrasAt + request.bodyLength
}

/** The connection ends once that is answered: where the next request begins is not known. */
function endAfter(_: Served): Served {
  return 'close'
}

/** What a refusal by a rule of the server is in binary. */
export function failBy(exchange: Exchange, { code, message }: ReplyError): void {
  const isOfClient = code === 'NOPERM' || code === 'NOAUTH'
  const status = code === 'OOM' ? STATUS.OUT_OF_MEMORY : isOfClient ? STATUS.AUTH_ERROR : STATUS.INVALID
  fail(exchange, REQUEST, status, code === 'OOM' ? undefined : `${code} ${message}`)
}
