/** Whatever accepts connections in one place. */

/** Where to listen. */
export type ListenAt =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode?: number | undefined }
  /** A socket of another thread that listens already. */
  | { readonly fd: number }

export interface Listening {
  /** Resolves with the port, when connections are accepted; 0: a Unix socket. */
  listen(at: ListenAt): Promise<number>
  /** As `listen`, on an address that is a number. Returns at once whether that could be done. */
  listenNow(host: string, port: number): boolean
  /** The descriptor of the socket that listens. */
  readonly fd?: number | undefined
  /** Stops accepting. */
  stop(): void
  /** Ends all connections, once what was answered is sent. */
  close(): Promise<void>
}
