/**
 * The port of a network: carries datagrams to all peers or to one, which may be lost, doubled, late and out of order,
 * and byte streams to one. A UDP one lies in `mesh/transports`, a simulated one in `millpond/testing`.
 */
export interface Transport {
  /** The longest datagram that crosses the path in one piece, in bytes. May grow or shrink when the path is measured. */
  readonly datagramBytesMax: number
  /** Opens the sockets. Returns the address that others reach this end by. */
  open(receiver: TransportReceiver): Promise<TransportAddress>
  /**
   * Sends a datagram to one address, or to all. The bytes are not touched after the call, and may be kept by the caller.
   * Never throws for what the network does: that is loss.
   */
  send(datagram: Uint8Array, to?: TransportAddress): void
  /** The peers that are alive: who `send` to all reaches where there is no multicast. */
  know(peers: readonly TransportAddress[]): void
  /** Opens a byte stream to a peer. */
  connect(to: TransportAddress): Promise<TransportStream>
  /** Closes every socket and stream. Nothing is received any more. */
  close(): Promise<void>
}

/** Where an end is reached: an IP address with the UDP port of its datagrams and the TCP port of its streams. */
export interface TransportAddress {
  readonly host: string
  readonly port: number
  readonly streamPort: number
}

/** The receiving side of a transport. */
export interface TransportReceiver {
  /** A datagram came. `bytes` may be reused after the call returns: copy what is kept. Own datagrams may be among them. */
  datagram(bytes: Uint8Array, host: string, port: number): void
  /** Somebody opened a stream to this end. */
  stream(stream: TransportStream): void
  /** A socket failed; the transport tries to go on. */
  failed(error: Error): void
}

/** A reliable, ordered stream of bytes, not yet trusted. */
export interface TransportStream {
  /** Resolves when there is room for more. Rejects when the stream is broken. */
  write(bytes: Uint8Array): Promise<void>
  /** The next bytes, however many; `undefined` at the end. Rejects when the stream broke. */
  read(): Promise<Uint8Array | undefined>
  /** Ends the own side after what was written. */
  end(): void
  /** Ends both sides at once. */
  destroy(): void
}
