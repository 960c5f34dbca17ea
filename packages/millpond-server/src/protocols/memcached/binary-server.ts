/** The binary commands that concern the whole cache or the connection. */
import { type BinaryCommand, type BinaryRequest, fail, STATUS, succeed } from './binary-command.ts'
import type { Exchange, Served } from './exchange.ts'
import { gatherPrefixes, reset, type Stat, statsList } from './stats.ts'
import { admit } from './text-authentication.ts'
import { flush as flushItems, MEMCACHED_VERSION } from './text-server.ts'

const MECHANISM = 'PLAIN'

function isBare({ extras, keyLength, bodyLength }: BinaryRequest): boolean {
  return extras === 0 && keyLength === 0 && bodyLength === 0
}

function flush(exchange: Exchange, request: BinaryRequest): Served {
  const { bytes, options, state } = exchange
  if (options.refusesFlush) return fail(exchange, request, STATUS.AUTH_ERROR)
  const seconds = request.extras === 4 ? bytes.readUInt32BE(request.extrasAt) : 0
  if (!flushItems(exchange, seconds)) return 'put off'
  state.counters.cmd_flush++
  return succeed(exchange, request)
}

function stat(exchange: Exchange, request: BinaryRequest): Served {
  const { bytes, writer } = exchange
  const what = bytes.toString('latin1', request.keyAt, request.keyAt + request.keyLength)
  const list = what.startsWith('reset') ? (reset(exchange) ? [] : 'put off') : statOf(exchange, what)
  if (list === 'put off') return list
  if (list === undefined) return fail(exchange, request, STATUS.NOT_FOUND)
  for (const [name, value] of list) {
    const text = String(value)
    writer.head(request.opcode, STATUS.OK, 0, name.length, name.length + text.length, 0, request.opaque)
    writer.text(name)
    writer.text(text)
  }
  writer.head(request.opcode, STATUS.OK, 0, 0, 0, 0, request.opaque)
  return 'done'
}

function statOf(exchange: Exchange, what: string): readonly Stat[] | 'put off' | undefined {
  const { state } = exchange
  if (what.startsWith('settings')) return statsList(exchange, 'settings')
  if (!what.startsWith('detail')) return statsList(exchange, what)
  const how = what.slice('detail'.length)
  if (how.startsWith(' dump')) return [['detailed', state.allPrefixes.text]]
  if (!how.startsWith(' on') && !how.startsWith(' off')) return undefined
  gatherPrefixes(state, how.startsWith(' on'))
  return []
}

/** PLAIN: whom it acts for (not looked at), its cache and its token, with zeros between them. */
function logIn(exchange: Exchange, request: BinaryRequest): Served {
  const { bytes } = exchange
  const mechanism = bytes.toString('latin1', request.keyAt, request.valueAt)
  const [, name, secret] = bytes.toString('latin1', request.valueAt, request.end).split('\0')
  if (mechanism !== MECHANISM || name === undefined || secret === undefined) {
    return fail(exchange, request, STATUS.AUTH_ERROR)
  }
  // The answer may be given when these bytes are someone else's.
  const { opcode } = request
  const opaque = Buffer.from(request.opaque)
  return admit(exchange, name, secret, (wrong) => {
    const answered = { opcode, opaque }
    if (wrong === undefined) succeed(exchange, answered, 0, 'Authenticated')
    else fail(exchange, answered, STATUS.AUTH_ERROR, wrong === '' ? undefined : wrong)
  })
}

export const serverCommands: readonly BinaryCommand[] = [
  {
    opcode: 0x07,
    quietOpcode: 0x17,
    name: 'quit',
    as: '',
    summary: 'Ends the connection.',
    fits: isBare,
    run: (exchange, request) => {
      succeed(exchange, request)
      return 'close'
    },
  },
  {
    opcode: 0x08,
    quietOpcode: 0x18,
    name: 'flush',
    as: 'flushdb',
    summary: 'Removes all items, now or at a moment that is to come.',
    fits: ({ extras, keyLength, bodyLength }) =>
      keyLength === 0 && bodyLength === extras && (extras === 0 || extras === 4),
    run: flush,
  },
  {
    opcode: 0x0a,
    name: 'noop',
    as: '',
    summary: 'Answers: all that came before is done.',
    fits: isBare,
    run: succeed,
  },
  {
    opcode: 0x0b,
    name: 'version',
    as: '',
    summary: 'Returns the version of memcached whose behaviour this is.',
    fits: isBare,
    run: (exchange, request) => succeed(exchange, request, 0, MEMCACHED_VERSION),
  },
  {
    opcode: 0x10,
    name: 'stat',
    as: 'info',
    summary: 'Returns counters and settings under their names in memcached.',
    fits: ({ extras }) => extras === 0,
    run: stat,
  },
  {
    opcode: 0x20,
    name: 'sasl list mechs',
    as: '',
    summary: 'Returns how a client can say who it is: PLAIN.',
    fits: isBare,
    run: (exchange, request) => succeed(exchange, request, 0, MECHANISM),
  },
  {
    opcode: 0x21,
    name: 'sasl auth',
    as: 'auth',
    summary: 'Says who a client is: cache and token.',
    fits: ({ extras, keyLength }) => extras === 0 && keyLength > 0,
    run: logIn,
  },
  {
    opcode: 0x22,
    name: 'sasl step',
    as: 'auth',
    summary: 'Fails: PLAIN has one step.',
    fits: ({ extras, keyLength }) => extras === 0 && keyLength > 0,
    run: (exchange, request) => fail(exchange, request, STATUS.AUTH_ERROR),
  },
]
