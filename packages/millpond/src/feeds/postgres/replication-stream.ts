/**
 * The copy stream of a walsender: takes its messages apart, and answers with how far we are. Its messages are 'w' (a
 * piece of pgoutput) and 'k' (a keepalive with the position up to which everything was sent).
 *
 * Source: PostgreSQL documentation, "Streaming Replication Protocol".
 */
import { Bytes, PgoutputError } from './bytes.ts'
import { copyWire, type PgCopyWire } from './client.ts'
import type { Connection } from './connect.ts'
import type { Lsn } from './lsn.ts'

export interface StreamHandlers {
  /** A message of pgoutput starts at `at`. The buffer is used again after the call. */
  data(buffer: Buffer, at: number): void
  /** Everything before `lsn` has been sent; `asked`: the server wants a status now. */
  keepalive(lsn: Lsn, asked: boolean): void
  failed(error: Error): void
}

const DATA = 0x77
const KEEPALIVE = 0x6b
const STATUS = 0x72
/** 'w', start, end and time of sending. */
const DATA_HEAD_BYTES = 25
/** The epoch of PostgreSQL's clock, 2000-01-01, as milliseconds since 1970. */
const EPOCH_2000_MS = 946_684_800_000

export class ReplicationStream {
  private readonly connection: Connection
  private readonly wire: PgCopyWire
  private readonly status = Buffer.alloc(34)
  private ended: Promise<unknown> = Promise.resolve()

  constructor(connection: Connection) {
    this.connection = connection
    this.wire = copyWire(connection.client)
    this.status[0] = STATUS
  }

  /** Starts to stream; resolves once the server has agreed. */
  async start(command: string, handlers: StreamHandlers): Promise<void> {
    this.wire.on('copyData', ({ chunk }) => {
      try {
        take(chunk, handlers)
      } catch (error) {
        handlers.failed(error as Error)
      }
    })
    const agreed = new Promise<void>((resolve) => this.wire.once('replicationStart', resolve))
    const ended = this.connection.query(command)
    this.ended = ended
    ended.then(
      () => handlers.failed(new Error('the server ended the stream')),
      (error: Error) => handlers.failed(error),
    )
    await Promise.race([agreed, ended])
  }

  /**
   * Tells the server how far we are, and asks for a keepalive: its answer names the position up to which it has sent.
   *
   * @param received what we have seen; @param settled what a kept slot need not send again
   */
  ping(received: Lsn, settled: Lsn, wallMs: number): void {
    const { status } = this
    status.writeBigUInt64BE(received, 1)
    status.writeBigUInt64BE(settled, 9)
    status.writeBigUInt64BE(settled, 17)
    status.writeBigInt64BE(BigInt(Math.round((wallMs - EPOCH_2000_MS) * 1000)), 25)
    status[33] = 1
    this.wire.sendCopyFromChunk(status)
  }

  /** Leaves the copy mode, so that the connection takes commands again. */
  async stop(): Promise<void> {
    this.wire.endCopyFrom()
    await this.ended
  }
}

function take(chunk: Buffer, handlers: StreamHandlers): void {
  const kind = chunk[0]
  if (kind === DATA) {
    handlers.data(chunk, DATA_HEAD_BYTES)
    return
  }
  if (kind !== KEEPALIVE) throw new PgoutputError(`unknown stream message ${kind}`)
  const bytes = new Bytes(chunk, 1)
  const lsn = bytes.uint64()
  bytes.skip(8)
  handlers.keepalive(lsn, bytes.uint8() === 1)
}
