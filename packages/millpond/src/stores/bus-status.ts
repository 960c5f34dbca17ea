/** What a bus has met, since it was made. */
export interface BusStatus {
  /** Whether changes are heard now. */
  readonly connected: boolean
  /** How often messages may have been lost: near tiers were dropped. */
  readonly gaps: number
  /** How often a connection was opened anew. */
  readonly reconnects: number
  /** Payloads on the channel that are not ours, or cannot be read. */
  readonly ignored: number
}
