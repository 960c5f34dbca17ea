import { randomBytes } from 'node:crypto'

/**
 * A question between transports, apart from the packets of the mesh: did you hear this, and how much of it? An answer repeats
 * eight random bytes, which only who heard the question knows, so no stranger can make a path look better than it is. It is never
 * longer than the question, so nobody is flooded by it.
 *
 *     u16 "MQ", u8 version, u8 kind, u32 cluster, u48 question, u16 length of the question, 8 random bytes, padding
 */
export interface Echo {
  readonly kind: EchoKind
  readonly question: number
  readonly length: number
  readonly random: Buffer
}

/** A question to the group, one to a peer, the answer to each. */
export type EchoKind = 'to all' | 'to one' | 'heard by all' | 'heard'

export const ECHO_BYTES = 24
const MAGIC = 0x514d
const VERSION = 1
const KINDS: readonly EchoKind[] = ['to all', 'to one', 'heard by all', 'heard']

/** A question of `length` bytes. */
export function writeQuestion(kind: 'to all' | 'to one', cluster: number, question: number, length: number): Buffer {
  return write(kind, cluster, question, length, randomBytes(8), Buffer.alloc(Math.max(length, ECHO_BYTES)))
}

/** The answer to a question. */
export function writeAnswer(cluster: number, { kind, question, length, random }: Echo): Buffer {
  return write(
    kind === 'to all' ? 'heard by all' : 'heard',
    cluster,
    question,
    length,
    random,
    Buffer.alloc(ECHO_BYTES),
  )
}

function write(
  kind: EchoKind,
  cluster: number,
  question: number,
  length: number,
  random: Buffer,
  into: Buffer,
): Buffer {
  into.writeUInt16LE(MAGIC, 0)
  into[2] = VERSION
  into[3] = KINDS.indexOf(kind)
  into.writeUInt32LE(cluster, 4)
  into.writeUIntLE(question, 8, 6)
  into.writeUInt16LE(length, 14)
  into.set(random, 16)
  return into
}

/** Whether a datagram is an echo of any kind and mesh. */
export function isEcho(datagram: Buffer): boolean {
  return datagram.length >= ECHO_BYTES && datagram.readUInt16LE(0) === MAGIC
}

/** What an echo says, where it is of this version and mesh. */
export function readEcho(datagram: Buffer, cluster: number): Echo | undefined {
  const kind = KINDS[datagram[3]!]
  if (datagram[2] !== VERSION || datagram.readUInt32LE(4) !== cluster || kind === undefined) return undefined
  const isQuestion = kind === 'to all' || kind === 'to one'
  const length = isQuestion ? datagram.length : datagram.readUInt16LE(14)
  return { kind, question: datagram.readUIntLE(8, 6), length, random: Buffer.from(datagram.subarray(16, 24)) }
}
