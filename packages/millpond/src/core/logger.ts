/** What Millpond needs of a logger: pino, winston and `console` fit. Secrets and values are never passed to it. */
export interface Logger {
  /** Something failed that readers do not notice, such as a store that does not answer. */
  warn(details: object, message: string): void
  /** Something failed that somebody has to look at, such as a write that was given up. */
  error(details: object, message: string): void
}

/** The default: says nothing. Failures are also events and counters, so nothing is lost by silence. */
export const silentLogger: Logger = { warn() {}, error() {} }
