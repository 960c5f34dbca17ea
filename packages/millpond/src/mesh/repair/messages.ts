import { MeshError } from '../../core/errors.ts'
import type { PeerId } from '../link/link.ts'
import { ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { History } from './history.ts'

/** What comes on a stream of two processes that compare their states; the first byte of each message. */
export const RepairMessage = {
  /** Who opened it says how its state is. */
  opening: 1,
  /** The other says what has to be done. */
  answer: 2,
  /** Operations. Both sides send these. */
  body: 3,
  /** That was all. From who accepted: both sides are done, and its root. */
  end: 4,
} as const

/** What one process says of itself. */
export interface Standing {
  readonly ready: boolean
  /** See `Life`. */
  readonly bornMs: number
  readonly nowMs: number
  readonly history: History
  /** How many are in step with it, and the lowest id of those: who has less of them gives way. */
  readonly company: { readonly size: number; readonly lowest: PeerId }
}

export interface Opening extends Standing {
  /** Only what was changed in the last so many milliseconds is to be exchanged; `undefined`: everything in the buckets that differ. */
  readonly recentMs: number | undefined
  readonly hashes: Uint32Array
}

/** What the accepting side decides. */
export type Verdict = 'merge' | 'opener gives way' | 'accepter gives way' | 'busy' | 'not ready'
const VERDICTS: readonly Verdict[] = ['merge', 'opener gives way', 'accepter gives way', 'busy', 'not ready']

export interface Answer extends Standing {
  readonly verdict: Verdict
  /** A bitmap of the buckets that differ. */
  readonly buckets: Uint8Array
}

const BYTES_MAX = 512 * 1024

export function writeOpening(opening: Opening): Uint8Array {
  const writer = new ByteWriter(BYTES_MAX)
  writer.byte(RepairMessage.opening)
  writeStanding(writer, opening)
  writer.varint(opening.recentMs === undefined ? 0 : 1 + Math.ceil(opening.recentMs))
  const { buffer, byteOffset, byteLength } = opening.hashes
  writer.raw(new Uint8Array(buffer, byteOffset, byteLength))
  return writer.written()
}

/** Throws `ValueError` where the message is none. */
export function readOpening(message: Uint8Array, buckets: number): Opening {
  const reader = read(message, RepairMessage.opening)
  const standing = readStanding(reader)
  const recentMs = reader.varint() - 1
  const hashes = new Uint32Array(buckets * 2)
  new Uint8Array(hashes.buffer).set(reader.raw(hashes.byteLength))
  return { ...standing, hashes, recentMs: recentMs < 0 ? undefined : recentMs }
}

export function writeAnswer(answer: Answer): Uint8Array {
  const writer = new ByteWriter(BYTES_MAX)
  writer.byte(RepairMessage.answer)
  writer.byte(VERDICTS.indexOf(answer.verdict))
  writeStanding(writer, answer)
  writer.raw(answer.buckets)
  return writer.written()
}

/** Throws `ValueError` where the message is none. */
export function readAnswer(message: Uint8Array, buckets: number): Answer {
  const reader = read(message, RepairMessage.answer)
  const verdict = VERDICTS[reader.byte()] ?? 'busy'
  const standing = readStanding(reader)
  return { ...standing, verdict, buckets: reader.raw(Math.ceil(buckets / 8)) }
}

/** A message of a kind with something after it. */
export function writeMessage(kind: number, rest: Uint8Array): Uint8Array {
  const message = Buffer.allocUnsafe(1 + rest.length)
  message[0] = kind
  message.set(rest, 1)
  return message
}

function read(message: Uint8Array, kind: number): ByteReader {
  const reader = new ByteReader().reset(Buffer.from(message.buffer, message.byteOffset, message.byteLength))
  if (reader.byte() !== kind)
    throw new MeshError(`a peer sent something else than it should while states were compared`)
  return reader
}

function writeStanding(writer: ByteWriter, { ready, bornMs, nowMs, history, company }: Standing): void {
  writer.byte(ready ? 1 : 0)
  writer.double(bornMs)
  writer.double(nowMs)
  writer.varint(company.size)
  writer.varint(company.lowest)
  history.write(writer)
}

function readStanding(reader: ByteReader): Standing {
  const ready = reader.byte() === 1
  const bornMs = reader.double()
  const nowMs = reader.double()
  const company = { size: reader.varint(), lowest: reader.varint() }
  return { ready, bornMs, nowMs, company, history: History.read(reader) }
}
