/**
 * The port of a bus: tells the caches of other processes what changed. Delivery is in order per sender. A receiver
 * that may have missed a message is told so (`gap`), and then revalidates what it holds instead of trusting it.
 */
export interface Bus {
  /** Sends to every other subscriber; never to the sender itself. May reject: the cache reports it and goes on. */
  publish(message: BusMessage): Promise<void>
  /** Starts to receive. Returns what stops it. */
  subscribe(receiver: BusReceiver): () => void
  /** Ends connections that the bus opened itself. */
  close(): Promise<void>
}

/** A change. `cache` is the name of the cache: a bus may carry several. */
export interface BusMessage {
  readonly cache: string
  /** `delete`: these copies are no longer valid. `expire`: they are stale. `clear`: everything of the cache. */
  readonly kind: 'delete' | 'expire' | 'clear'
  readonly keys?: readonly string[]
  readonly tags?: readonly string[]
}

/** The receiving side of a bus. */
export interface BusReceiver {
  /** Another cache says what changed. Called in the order of its sender. */
  message(message: BusMessage): void
  /** Messages may have been lost: a sequence number is missing, or the connection was down. */
  gap(): void
}
