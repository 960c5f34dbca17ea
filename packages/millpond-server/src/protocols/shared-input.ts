/** Memory that all connections of one event loop read into in turn. */

/** A read brings at most so much. */
const READ_BYTES = 256 * 1024
/** Room before what is read, for the beginning of a command that came with the last read. */
const HEADROOM_BYTES = 64 * 1024

/**
 * A connection reads, executes and writes without a break, so one buffer serves them all: it stays in the processor's
 * cache, and nothing is allocated for a read.
 */
export class SharedInput {
  /** Sockets read into this from `headroom` on. */
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(HEADROOM_BYTES + READ_BYTES)
  readonly headroom: number = HEADROOM_BYTES
}
