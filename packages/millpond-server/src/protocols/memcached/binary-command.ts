/** A command of the binary protocol as data, and what a request and an answer are made of. */
import type { Exchange, Served } from './exchange.ts'

export const STATUS = {
  OK: 0,
  NOT_FOUND: 1,
  EXISTS: 2,
  TOO_LARGE: 3,
  INVALID: 4,
  NOT_STORED: 5,
  NOT_NUMERIC: 6,
  AUTH_ERROR: 0x20,
  UNKNOWN_COMMAND: 0x81,
  OUT_OF_MEMORY: 0x82,
} as const
export type Status = (typeof STATUS)[keyof typeof STATUS]

/** What the body of a refusal says. */
const TEXTS: Readonly<Record<Status, string>> = {
  [STATUS.OK]: '',
  [STATUS.NOT_FOUND]: 'Not found',
  [STATUS.EXISTS]: 'Data exists for key.',
  [STATUS.TOO_LARGE]: 'Too large.',
  [STATUS.INVALID]: 'Invalid arguments',
  [STATUS.NOT_STORED]: 'Not stored.',
  [STATUS.NOT_NUMERIC]: 'Non-numeric server-side value for incr or decr',
  [STATUS.AUTH_ERROR]: 'Auth failure.',
  [STATUS.UNKNOWN_COMMAND]: 'Unknown command',
  [STATUS.OUT_OF_MEMORY]: 'Out of memory',
}

/** The head of a request, and where its body lies. Filled for each request. */
export class BinaryRequest {
  opcode = 0
  extras = 0
  keyLength = 0
  bodyLength = 0
  /** 0: none was given. */
  cas = 0
  /** Of the key's first byte, and of the value's. */
  extrasAt = 0
  keyAt = 0
  valueAt = 0
  end = 0
  /** Sent back as it came. */
  opaque: Buffer = Buffer.alloc(4)
}

export interface BinaryCommand {
  readonly opcode: number
  readonly name: string
  /** The opcode that answers only what is out of the ordinary. */
  readonly quietOpcode?: number
  /** As in `TextCommand`. */
  readonly as: string
  readonly summary: string
  /** Whether a request's parts have lengths that it may have. */
  fits(request: BinaryRequest): boolean
  run(exchange: Exchange, request: BinaryRequest): Served
}

/** What of a request comes back with its answer. */
export type Answered = Pick<BinaryRequest, 'opcode' | 'opaque'>

/** An answer without body, or with a text as body: of success. Quiet requests are not answered so. */
export function succeed(exchange: Exchange, request: Answered, cas = 0, text = ''): Served {
  if (exchange.quiet) return 'done'
  exchange.writer.head(request.opcode, STATUS.OK, 0, 0, text.length, cas, request.opaque)
  exchange.writer.text(text)
  return 'done'
}

/** An answer that says what went wrong. Every client is to hear it. */
export function fail(exchange: Exchange, request: Answered, status: Status, text: string = TEXTS[status]): Served {
  exchange.writer.head(request.opcode, status, 0, 0, text.length, 0, request.opaque)
  exchange.writer.text(text)
  return 'done'
}
