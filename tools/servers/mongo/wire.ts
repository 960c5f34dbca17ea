/**
 * MongoDB's wire protocol, as far as a client's driver speaks it to a server: OP_MSG both ways, and the OP_QUERY by which
 * a connection is opened.
 */
import { BSON } from 'mongodb'

export type Document = Record<string, unknown>

/** A command as it came. */
export interface Request {
  readonly id: number
  readonly isQuery: boolean
  /** The client wants no reply. */
  readonly isSilent: boolean
  readonly command: Document
}

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2

/** Cuts a stream of bytes into requests. */
export class RequestReader {
  private rest: Buffer = Buffer.alloc(0)

  read(chunk: Buffer): Request[] {
    const requests: Request[] = []
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    while (this.rest.length >= 4 && this.rest.length >= this.rest.readInt32LE(0)) {
      const length = this.rest.readInt32LE(0)
      requests.push(requestOf(this.rest.subarray(0, length)))
      this.rest = this.rest.subarray(length)
    }
    return requests
  }
}

export function encodeReply(request: Request, reply: Document): Buffer {
  const body = BSON.serialize(reply, { ignoreUndefined: true })
  const header = Buffer.alloc(request.isQuery ? 36 : 21)
  header.writeInt32LE(header.length + body.length, 0)
  header.writeInt32LE(request.id, 8)
  header.writeInt32LE(request.isQuery ? OP_REPLY : OP_MSG, 12)
  if (request.isQuery) header.writeInt32LE(1, 32)
  return Buffer.concat([header, body])
}

function requestOf(message: Buffer): Request {
  const id = message.readInt32LE(4)
  const operation = message.readInt32LE(12)
  if (operation === OP_QUERY) {
    const bodyAt = message.indexOf(0, 20) + 1 + 8
    return { id, isQuery: true, isSilent: false, command: documentAt(message, bodyAt) }
  }
  if (operation !== OP_MSG) throw new Error(`a client sent the operation ${operation}, which is not spoken here`)
  const flags = message.readUInt32LE(16)
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0)
  return { id, isQuery: false, isSilent: (flags & MORE_TO_COME) !== 0, command: sectionsOf(message.subarray(0, end)) }
}

/** The body (kind 0), with the lists of documents that were sent beside it (kind 1). */
function sectionsOf(message: Buffer): Document {
  let body: Document = {}
  const lists: Document = {}
  for (let at = 20; at < message.length; ) {
    const kind = message[at]
    const length = message.readInt32LE(at + 1)
    if (kind === 0) body = documentAt(message, at + 1)
    else Object.assign(lists, listOf(message.subarray(at + 1, at + 1 + length)))
    at += 1 + length
  }
  return { ...body, ...lists }
}

function listOf(section: Buffer): Document {
  const nameEnd = section.indexOf(0, 4)
  const documents: Document[] = []
  for (let at = nameEnd + 1; at < section.length; at += section.readInt32LE(at)) documents.push(documentAt(section, at))
  return { [section.toString('utf8', 4, nameEnd)]: documents }
}

function documentAt(bytes: Buffer, at: number): Document {
  return BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at)))
}
