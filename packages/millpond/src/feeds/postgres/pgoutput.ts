/**
 * The decoder of `pgoutput`, PostgreSQL's logical replication format, versions 1 and 2 (streamed transactions).
 *
 * It parses in place and hands rows on as offsets into the buffer: who needs no value pays for none. The client
 * library reuses that buffer, so nothing of a row may be kept after the call: see row.ts for reading values.
 * Whatever does not fit the format is an error: a feed that guesses would lose changes.
 *
 * Source: PostgreSQL documentation, "Logical Replication Message Formats"; src/backend/replication/logical/proto.c.
 */
import { Bytes, PgoutputError } from './bytes.ts'
import type { Lsn } from './lsn.ts'
import { type RowChange, skipTuple } from './row.ts'

export interface Column {
  readonly name: string
  /** Whether it belongs to the replica identity: whether the old values of a row have it. */
  readonly identity: boolean
  readonly typeOid: number
}

/** A table as the stream describes it, before its first change and after each change of its shape. */
export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** REPLICA IDENTITY: 'd' default (the primary key), 'i' an index, 'f' full, 'n' nothing. */
  readonly identity: string
  readonly columns: readonly Column[]
}

/**
 * What the stream says, in its order. `subxid` is the (sub)transaction that a change of a streamed transaction belongs
 * to; it is undefined outside of streamed blocks, where changes come only after their transaction has committed.
 */
export interface PgoutputSink {
  begin(xid: number): void
  commit(commitLsn: Lsn, endLsn: Lsn): void
  /** A relation is described; `known` is what was known of it, if anything. */
  relation(relation: Relation, known: Relation | undefined): void
  /** One row. The object is used again for the next. */
  row(change: RowChange, subxid: number | undefined): void
  truncate(relations: readonly Relation[], subxid: number | undefined): void
  streamStart(xid: number): void
  streamStop(): void
  streamCommit(xid: number, commitLsn: Lsn, endLsn: Lsn): void
  /** The subtransaction was rolled back; when it equals `xid`, the whole of it. */
  streamAbort(xid: number, subxid: number): void
}

/** Holds the relations of one replication session and turns its messages into calls. */
export class PgoutputDecoder {
  private readonly sink: PgoutputSink
  private readonly relations = new Map<number, Relation>()
  /** Relations described inside a streamed transaction: its own until it commits, as it may have created them. */
  private readonly streamed = new Map<number, Map<number, Relation>>()
  private stream: number | undefined
  private readonly change: { -readonly [Name in keyof RowChange]: RowChange[Name] } = {
    kind: 'insert',
    relation: { oid: 0, schema: '', table: '', identity: 'd', columns: [] },
    buffer: Buffer.alloc(0),
    oldAt: -1,
    newAt: -1,
  }

  constructor(sink: PgoutputSink) {
    this.sink = sink
  }

  /** Decodes the one message that starts at `at`. Throws PgoutputError when it is not a whole message of the format. */
  decode(buffer: Buffer, at: number): void {
    const bytes = new Bytes(buffer, at)
    const kind = bytes.uint8()
    switch (kind) {
      case 0x49: // 'I'
      case 0x55: // 'U'
      case 0x44: // 'D'
        this.row(bytes, kind)
        break
      case 0x42: // 'B': final LSN, time, xid
        bytes.skip(16)
        this.sink.begin(bytes.uint32())
        break
      case 0x43: // 'C': flags, commit LSN, end LSN, time
        this.commit(bytes)
        break
      case 0x52: // 'R'
        this.relation(bytes)
        break
      case 0x54: // 'T'
        this.truncate(bytes)
        break
      case 0x53: // 'S': xid, whether it is the first block
        this.streamStart(bytes)
        break
      case 0x45: // 'E'
        this.stream = undefined
        this.sink.streamStop()
        break
      case 0x63: // 'c'
        this.streamCommit(bytes)
        break
      case 0x41: // 'A'
        this.streamAbort(bytes)
        break
      case 0x4f: // 'O': the origin of a commit that came by replication
      case 0x59: // 'Y': a type that is not built in
      case 0x4d: // 'M': pg_logical_emit_message
        break
      default:
        throw new PgoutputError(`unknown message ${JSON.stringify(String.fromCharCode(kind))}`)
    }
  }

  private subxid(bytes: Bytes): number | undefined {
    return this.stream === undefined ? undefined : bytes.uint32()
  }

  private row(bytes: Bytes, kind: number): void {
    const subxid = this.subxid(bytes)
    const { change } = this
    change.relation = this.lookUp(bytes.uint32())
    change.buffer = bytes.buffer
    change.kind = kind === 0x49 ? 'insert' : kind === 0x55 ? 'update' : 'delete'
    change.oldAt = -1
    change.newAt = -1
    let part = bytes.uint8()
    if (part === 0x4b || part === 0x4f) {
      // 'K': the old key, 'O': the old row
      change.oldAt = bytes.at
      bytes.at = skipTuple(bytes.buffer, bytes.at)
      part = kind === 0x44 ? 0 : bytes.uint8()
    }
    if (part === 0x4e) {
      change.newAt = bytes.at
      bytes.at = skipTuple(bytes.buffer, bytes.at)
    }
    if (change.newAt < 0 ? kind !== 0x44 || change.oldAt < 0 : kind === 0x44)
      throw new PgoutputError(`a malformed ${change.kind}`)
    this.sink.row(change, subxid)
  }

  private truncate(bytes: Bytes): void {
    const subxid = this.subxid(bytes)
    const count = bytes.uint32()
    bytes.skip(1)
    const relations: Relation[] = []
    for (let index = 0; index < count; index++) relations.push(this.lookUp(bytes.uint32()))
    this.sink.truncate(relations, subxid)
  }

  private relation(bytes: Bytes): void {
    this.subxid(bytes)
    const oid = bytes.uint32()
    const schema = bytes.text() || 'pg_catalog'
    const table = bytes.text()
    const identity = String.fromCharCode(bytes.uint8())
    const columns: Column[] = []
    for (let count = bytes.uint16(); count > 0; count--) {
      const flags = bytes.uint8()
      const name = bytes.text()
      columns.push({ name, identity: (flags & 1) === 1, typeOid: bytes.uint32() })
      bytes.skip(4)
    }
    const relation = { oid, schema, table, identity, columns }
    const known = this.find(oid)
    this.scope().set(oid, relation)
    this.sink.relation(relation, known)
  }

  private scope(): Map<number, Relation> {
    if (this.stream === undefined) return this.relations
    const own = this.streamed.get(this.stream) ?? new Map<number, Relation>()
    this.streamed.set(this.stream, own)
    return own
  }

  private find(oid: number): Relation | undefined {
    const own = this.stream === undefined ? undefined : this.streamed.get(this.stream)?.get(oid)
    return own ?? this.relations.get(oid)
  }

  private lookUp(oid: number): Relation {
    const relation = this.find(oid)
    if (!relation) throw new PgoutputError(`a change of relation ${oid}, which was never described`)
    return relation
  }

  private commit(bytes: Bytes): void {
    bytes.skip(1)
    const [commitLsn, endLsn] = [bytes.uint64(), bytes.uint64()]
    bytes.skip(8)
    this.sink.commit(commitLsn, endLsn)
  }

  private streamStart(bytes: Bytes): void {
    const xid = bytes.uint32()
    bytes.skip(1)
    this.stream = xid
    this.sink.streamStart(xid)
  }

  private streamCommit(bytes: Bytes): void {
    const xid = bytes.uint32()
    bytes.skip(1)
    const [commitLsn, endLsn] = [bytes.uint64(), bytes.uint64()]
    bytes.skip(8)
    for (const [oid, relation] of this.streamed.get(xid) ?? []) this.relations.set(oid, relation)
    this.streamed.delete(xid)
    this.sink.streamCommit(xid, commitLsn, endLsn)
  }

  private streamAbort(bytes: Bytes): void {
    const xid = bytes.uint32()
    const subxid = bytes.uint32()
    if (xid === subxid) this.streamed.delete(xid)
    this.sink.streamAbort(xid, subxid)
  }
}
