import type { PeerId } from '../link/link.ts'

/**
 * The head of every datagram, 32 bytes, little-endian. All of it is authenticated with the body; none of it is secret.
 *
 *      0  u16  magic "MP"
 *      2  u8   version of the format
 *      3  u8   type
 *      4  u8   flags
 *      5  u8   key: which of the keyring sealed it; 0 without a key
 *      6  u16  depth: how far back from `sequence` the sender can still repair
 *      8  u32  cluster: hash of the mesh's name; strangers stop here
 *     12  u48  packet number: grows with every datagram of the sender; the nonce
 *     18  u16  salt: 16 more random bits of the incarnation
 *     20  u64  sender: its incarnation, a random safe integer
 *     28  u32  sequence: of this message, or the highest that was sent
 */
export interface PacketHead {
  type: number
  flags: number
  keyId: number
  depth: number
  cluster: number
  number: number
  salt: number
  from: PeerId
  sequence: number
}

export const HEAD_BYTES = 32
const MAGIC = 0x504d
const VERSION = 1

/** The bits of `flags` that the format itself knows; the others are the link's. */
export const PacketFlags = {
  /** The body is encrypted, and a tag of 16 bytes follows; else a checksum of 4. */
  sealed: 1,
  /** Meant for one peer, whose id is authenticated too, though not written: to others it is a forgery. */
  direct: 2,
} as const

/** Writes a head into the first 32 bytes of `into`. */
export function writeHead(into: Buffer, head: Readonly<PacketHead>): void {
  into.writeUInt16LE(MAGIC, 0)
  into[2] = VERSION
  into[3] = head.type
  into[4] = head.flags
  into[5] = head.keyId
  into.writeUInt16LE(head.depth, 6)
  into.writeUInt32LE(head.cluster, 8)
  into.writeUIntLE(head.number, 12, 6)
  into.writeUInt16LE(head.salt, 18)
  writePeerId(into, head.from, 20)
  into.writeUInt32LE(head.sequence, 28)
}

/** Reads a head into `head`. False where the bytes are no packet of this version. */
export function readHead(from: Buffer, head: PacketHead): boolean {
  if (from.length < HEAD_BYTES || from.readUInt16LE(0) !== MAGIC || from[2] !== VERSION) return false
  head.type = from[3]!
  head.flags = from[4]!
  head.keyId = from[5]!
  head.depth = from.readUInt16LE(6)
  head.cluster = from.readUInt32LE(8)
  head.number = from.readUIntLE(12, 6)
  head.salt = from.readUInt16LE(18)
  head.from = readPeerId(from, 20)
  head.sequence = from.readUInt32LE(28)
  return head.from > 0 && head.from <= Number.MAX_SAFE_INTEGER
}

/** A head to read into. */
export function emptyHead(): PacketHead {
  return { type: 0, flags: 0, keyId: 0, depth: 0, cluster: 0, number: 0, salt: 0, from: 0, sequence: 0 }
}

/** Writes a peer's id as 8 bytes. */
export function writePeerId(into: Buffer, id: PeerId, at: number): void {
  into.writeUInt32LE(id >>> 0, at)
  into.writeUInt32LE(Math.floor(id / 2 ** 32), at + 4)
}

/** Reads a peer's id from 8 bytes. What is no safe integer comes out above `Number.MAX_SAFE_INTEGER`. */
export function readPeerId(from: Buffer, at: number): PeerId {
  return from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at)
}
