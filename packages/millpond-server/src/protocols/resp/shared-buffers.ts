/** Memory that all connections of one event loop use in turn. */
import { ReplyWriter } from './reply-writer.ts'

/** A read brings at most so much. */
const READ_BYTES = 256 * 1024
/** Room before what is read, for the beginning of a command that came with the last read. */
const HEADROOM_BYTES = 64 * 1024
const PIECE_BYTES = 256 * 1024

/**
 * A connection reads, executes and writes without a break, so one buffer for what comes in and one for the answers
 * serve them all: they stay in the processor's cache, and nothing is allocated for a read.
 */
export class SharedBuffers {
  /** Sockets read into this from `headroom` on. */
  readonly input: Buffer = Buffer.allocUnsafeSlow(HEADROOM_BYTES + READ_BYTES)
  readonly headroom: number = HEADROOM_BYTES
  readonly writer: ReplyWriter = new ReplyWriter(PIECE_BYTES)
}
