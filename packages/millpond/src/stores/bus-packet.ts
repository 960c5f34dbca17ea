import type { BusMessage } from '../core/bus.ts'

/** What goes over the channel: the messages of one turn, or none, which is a heartbeat. */
export interface Packet {
  /** Random, of one bus of one process. */
  readonly sender: string
  /** How many packets with messages the sender has made, this one included: a hole tells of a loss. */
  readonly sequence: number
  /** `hello`: the sender has just begun to listen, and asks for heartbeats. `bye`: it ends. */
  readonly sign: 'beat' | 'hello' | 'bye'
  readonly messages: readonly BusMessage[]
}

/** The text of a packet: JSON, which begins with a mark and the number of the format. */
export function encodePacket({ sender, sequence, sign, messages }: Packet): string {
  return JSON.stringify([MARK, FORMAT, sender, sequence, sign, messages])
}

/**
 * The packet of a text. `'foreign'`: somebody else uses the channel, and it means nothing to us. `'unknown'`: it is ours,
 * but of a format that we do not read, so something may have been said that we do not know. Never throws.
 */
export function decodePacket(text: string): Packet | 'foreign' | 'unknown' {
  const parts = text.startsWith(BEGINNING) && text.length <= CHARS_MAX ? parse(text) : undefined
  if (parts === undefined) return 'foreign'
  const [, format, sender, sequence, sign, messages] = parts
  const readable =
    format === FORMAT &&
    typeof sender === 'string' &&
    Number.isSafeInteger(sequence) &&
    SIGNS.includes(sign as Packet['sign']) &&
    Array.isArray(messages) &&
    messages.every(isMessage)
  return readable ? ({ sender, sequence, sign, messages } as Packet) : 'unknown'
}

const MARK = 'millpond'
const FORMAT = 1
const BEGINNING = `["${MARK}",`
/** Far above what an outbox makes: a packet is parsed on the thread that serves requests. */
const CHARS_MAX = 16 * 1024 * 1024
const SIGNS: readonly Packet['sign'][] = ['beat', 'hello', 'bye']
const KINDS: readonly unknown[] = ['delete', 'expire', 'clear'] satisfies BusMessage['kind'][]

function parse(text: string): unknown[] | undefined {
  try {
    return JSON.parse(text) as unknown[]
  } catch {
    return undefined
  }
}

function isMessage(candidate: unknown): candidate is BusMessage {
  const { cache, kind, keys, tags } = Object(candidate) as Record<string, unknown>
  return typeof cache === 'string' && KINDS.includes(kind) && areNames(keys) && areNames(tags)
}

function areNames(names: unknown): boolean {
  return names === undefined || (Array.isArray(names) && names.every((name) => typeof name === 'string'))
}
