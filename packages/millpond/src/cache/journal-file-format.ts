/**
 * The bytes of a journal file: a header line, then frames. A frame is what one flush to disk wrote:
 *
 *     length  u32   bytes of the payload            little-endian
 *     check   u32   CRC-32 of the length's 4 bytes
 *     check   u32   CRC-32 of the payload
 *     payload       JSON: an array of records, `[sequence, key, value]` appended or `[sequence]` settled
 *
 * A frame is written only when the one before it is on disk. So damage with a whole frame behind it cannot be a write
 * that a crash cut short; and damage at the very end that shows how a cut looks (bytes missing, or blocks of zeros where
 * the disk had not yet been written) was never acknowledged.
 */
export const HEADER: Buffer = Buffer.from('millpond journal 1\n')

/** Appended, or settled when there is no key. */
export type FrameRecord = readonly [sequence: number, key?: string, value?: string]

/** What a file holds. `end` is where the whole frames end; from there on it is torn, or (`damaged`) corrupt. */
export interface FrameScan {
  readonly records: readonly FrameRecord[]
  readonly end: number
  readonly damaged: boolean
}

const PREFIX_BYTES = 12

export function encodeFrame(records: readonly FrameRecord[]): Buffer {
  const payload = Buffer.from(JSON.stringify(records))
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt32LE(crc32(frame.subarray(0, 4)), 4)
  frame.writeUInt32LE(crc32(payload), 8)
  payload.copy(frame, PREFIX_BYTES)
  return frame
}

/** Reads a file. A file that is cut within its header is an empty journal. */
export function scanFrames(file: Buffer): FrameScan {
  const records: FrameRecord[] = []
  let end = Math.min(file.length, HEADER.length)
  if (!file.subarray(0, end).equals(HEADER.subarray(0, end))) return { records, end: 0, damaged: !isBlank(file) }
  if (end < HEADER.length) return { records, end: 0, damaged: false }
  for (let payload = payloadAt(file, end); payload; payload = payloadAt(file, end)) {
    for (const record of JSON.parse(payload.toString()) as FrameRecord[]) records.push(record)
    end += PREFIX_BYTES + payload.length
  }
  return { records, end, damaged: end < file.length && !isTorn(file, end) }
}

/** The payload of the frame at `at`, if a whole and correct one stands there. */
function payloadAt(file: Buffer, at: number): Buffer | undefined {
  const length = lengthAt(file, at)
  if (length === undefined || at + PREFIX_BYTES + length > file.length) return undefined
  const payload = file.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length)
  return crc32(payload) === file.readUInt32LE(at + 8) ? payload : undefined
}

function lengthAt(file: Buffer, at: number): number | undefined {
  if (at + PREFIX_BYTES > file.length) return undefined
  const isLength = crc32(file.subarray(at, at + 4)) === file.readUInt32LE(at + 4)
  return isLength ? file.readUInt32LE(at) : undefined
}

/** Whether what stands from `at` on can be the cut beginning of one frame. */
function isTorn(file: Buffer, at: number): boolean {
  for (let later = at + 1; later < file.length; later++) if (payloadAt(file, later)) return false
  if (at + PREFIX_BYTES > file.length) return true
  const length = lengthAt(file, at)
  if (length !== undefined && at + PREFIX_BYTES + length > file.length) return true
  return hasUnwrittenBlock(file.subarray(at))
}

/** JSON has no zero bytes: a run of them, or one at the end, is space that was allotted and never written. */
function hasUnwrittenBlock(bytes: Buffer): boolean {
  return bytes.at(-1) === 0 || bytes.includes(Buffer.alloc(16))
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** CRC-32 as in zlib, PNG and Ethernet (reflected, polynomial 0x04C11DB7). Node has its own only from 22.2 on. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}
