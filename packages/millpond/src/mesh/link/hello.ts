import type { TransportAddress } from '../../core/transport.ts'
import { readPeerId, writePeerId } from '../wire/packet.ts'
import type { PeerId } from './link.ts'

/**
 * The body of a hello:
 *
 *      0  u32  life
 *      4  u48  the highest sequence number that was sent
 *     10  u16  port of streams
 *     12  16 bytes  a challenge
 *     28  16 bytes  the answer to one
 *     44  u8   length of the name, and the name in UTF-8
 *      .  u8   how many others are named, and of each: u64 id, u16 port, u16 port of streams, u8 length and the host
 */
export interface Hello {
  readonly life: number
  readonly sent: number
  readonly streamPort: number
  readonly challenge: Uint8Array
  readonly answer: Uint8Array
  readonly name: string
  readonly others: readonly Acquaintance[]
}

/** Somebody whom the sender of a hello knows. */
export interface Acquaintance {
  readonly id: PeerId
  readonly address: TransportAddress
}

/** The longest name of a member, in bytes. */
export const NAME_BYTES_MAX = 200
export const NO_CHALLENGE: Uint8Array = new Uint8Array(16)

/** Writes a hello, with as many acquaintances as fit `bytesMax`. Returns its length. */
export function writeHello(into: Buffer, hello: Hello, bytesMax: number): number {
  into.writeUInt32LE(hello.life, 0)
  into.writeUIntLE(hello.sent, 4, 6)
  into.writeUInt16LE(hello.streamPort, 10)
  into.set(hello.challenge, 12)
  into.set(hello.answer, 28)
  const nameBytes = into.write(hello.name, NAME_AT + 1, NAME_BYTES_MAX, 'utf8')
  into[NAME_AT] = nameBytes
  const countAt = NAME_AT + 1 + nameBytes
  let end = countAt + 1
  let count = 0
  for (const { id, address } of hello.others) {
    if (end + OTHER_BYTES + address.host.length > bytesMax || count === 255) break
    writePeerId(into, id, end)
    into.writeUInt16LE(address.port, end + 8)
    into.writeUInt16LE(address.streamPort, end + 10)
    into[end + 12] = into.write(address.host, end + OTHER_BYTES, 'latin1')
    end += OTHER_BYTES + address.host.length
    count++
  }
  into[countAt] = count
  return end
}

/** Reads a hello, or `undefined` where the body is none. */
export function readHello(body: Buffer): Hello | undefined {
  const countAt = NAME_AT + 1 + (body[NAME_AT] ?? 0)
  if (body.length <= countAt) return undefined
  const others: Acquaintance[] = []
  let at = countAt + 1
  for (let left = body[countAt]!; left > 0; left--) {
    const end = at + OTHER_BYTES + (body[at + 12] ?? 0)
    if (body.length < end) return undefined
    const host = body.toString('latin1', at + OTHER_BYTES, end)
    const address = { host, port: body.readUInt16LE(at + 8), streamPort: body.readUInt16LE(at + 10) }
    others.push({ id: readPeerId(body, at), address })
    at = end
  }
  return {
    life: body.readUInt32LE(0),
    sent: body.readUIntLE(4, 6),
    streamPort: body.readUInt16LE(10),
    challenge: body.subarray(12, 28),
    answer: body.subarray(28, 44),
    name: body.toString('utf8', NAME_AT + 1, countAt),
    others,
  }
}

const NAME_AT = 44
const OTHER_BYTES = 13
