/** What Millpond needs of a logger: pino, winston and `console` fit. Secrets and values are never passed to it. */
export interface Logger {
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** The default: says nothing. Failures are also events and counters, so nothing is lost by silence. */
export const silentLogger: Logger = { warn() {}, error() {} }
