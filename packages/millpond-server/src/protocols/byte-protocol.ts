/** A protocol over a stream of bytes, as a listener sees it. */
import type { Socket } from 'node:net'

/** One per listener's event loop. */
export interface ByteProtocol {
  /** What a peer is told that is one too many. */
  readonly tooMany: Buffer
  /** What a peer is told that is not let in: see `protected-mode`. Without: all are, because it was seen before who can come. */
  readonly denied?: Buffer
  /** A peer has come: a client of the home cache, until it says where it belongs. */
  connect(socket: Socket): ByteConnection
}

export interface ByteConnection {
  /** Takes what was read: `bytes` from `start` to `end`. Before `start` is room that may be written. They are someone else's afterwards. */
  receive(bytes: Buffer, start: number, end: number): void
  /** The peer is gone. */
  leave(): void
}
