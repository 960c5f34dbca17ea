/**
 * Every failure that Millpond itself reports. Each has a class, a stable `code`, the key or option concerned and,
 * where another failure lies behind it, its `cause`. An error that a loader or a database throws is not wrapped: it
 * reaches the caller as it was thrown. docs/errors.md lists the codes; a test keeps that list and this file equal.
 */
export abstract class MillpondError extends Error {
  /** Stable across versions: compare this, not the message. */
  abstract readonly code: string
  override get name(): string {
    return this.constructor.name
  }
}

/** An option, argument or environment value that cannot be used. Nothing was changed. */
export class OptionError extends MillpondError {
  readonly code = 'ERR_OPTION'
  readonly option: string
  /** Not enumerable: errors are printed and logged, and a client that does not fit has a password. */
  declare readonly value: unknown
  constructor(option: string, value: unknown, advice: string) {
    super(`${option}: ${show(value)} cannot be used; ${advice}`)
    this.option = option
    Object.defineProperty(this, 'value', { value })
  }
}

/** A key that cannot be used: not a string, or made of parts that have no stable encoding. */
export class KeyError extends MillpondError {
  readonly code = 'ERR_KEY'
  readonly key: unknown
  constructor(key: unknown, advice: string) {
    super(`the key ${show(key)} cannot be used; ${advice}`)
    this.key = key
  }
}

/** A value that cannot be kept as asked, such as a promise, or one that the codec has no form for. */
export class ValueError extends MillpondError {
  readonly code = 'ERR_VALUE'
  readonly key: string | undefined
  constructor(key: string | undefined, reason: string, options?: ErrorOptions) {
    super(key === undefined ? reason : `the value of ${show(key)} cannot be kept: ${reason}`, options)
    this.key = key
  }
}

/** A load passed its `hardTimeout`. The loader's `signal` was aborted with this error. */
export class LoadTimeoutError extends MillpondError {
  readonly code = 'ERR_LOAD_TIMEOUT'
  readonly key: string
  constructor(key: string, timeoutMs: number) {
    super(`loading ${show(key)} took longer than its hardTimeout of ${timeoutMs} ms`)
    this.key = key
  }
}

/** The cache, store, feed or queue was used after `close()`. */
export class ClosedError extends MillpondError {
  readonly code = 'ERR_CLOSED'
  constructor(what: string) {
    super(`${what} is closed`)
  }
}

/** A shared tier did not answer, or answered with an error. Readers never see it: they go to the source. */
export class StoreError extends MillpondError {
  readonly code = 'ERR_STORE'
  /** The store is well, and only this command was refused, as when a value is too large for it. */
  readonly refused: boolean
  constructor(reason: string, options?: ErrorOptions & { refused?: boolean }) {
    super(reason, options)
    this.refused = options?.refused ?? false
  }
}

/** A write-behind write that could not be accepted or could not be delivered. */
export class WriteBehindError extends MillpondError {
  readonly code = 'ERR_WRITE_BEHIND'
  readonly key: string | undefined
  constructor(key: string | undefined, reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.key = key
  }
}

/** A change feed that cannot start as configured; the message says what to change on the database. */
export class FeedError extends MillpondError {
  readonly code = 'ERR_FEED'
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
  }
}

/** A journal that cannot be opened or written. At `offset`, where given, its file is damaged: nothing was changed. */
export class JournalError extends MillpondError {
  readonly code = 'ERR_JOURNAL'
  readonly path: string
  readonly offset: number | undefined
  constructor(path: string, reason: string, options?: ErrorOptions & { offset?: number }) {
    super(`journal ${path}: ${reason}`, options)
    this.path = path
    this.offset = options?.offset
  }
}

/** The mesh cannot start as configured, or a stream to a peer broke or was not what the peer sent. */
export class MeshError extends MillpondError {
  readonly code = 'ERR_MESH'
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
  }
}

/** The service could not be asked, or answered with an error. */
export class ServiceError extends MillpondError {
  readonly code = 'ERR_SERVICE'
  /**
   * `connection`: there is none, or it broke before the answer, so the command may have been done; `timeout`: no answer in time;
   * `overload`: too much waits already; `access`: the token does not open this; `unsupported`: not a server that can do this;
   * `answer`: the server's own error.
   */
  readonly reason: ServiceErrorReason
  /** The server's word for it, such as `WRONGTYPE`, where it answered. */
  readonly word: string | undefined
  constructor(reason: ServiceErrorReason, message: string, options?: ErrorOptions & { word?: string }) {
    super(message, options)
    this.reason = reason
    this.word = options?.word
  }
}

/** Why the service did not do what it was asked to. */
export type ServiceErrorReason = 'connection' | 'timeout' | 'overload' | 'access' | 'unsupported' | 'answer'

/** Something that this platform (a browser, an edge runtime) does not offer. */
export class PlatformError extends MillpondError {
  readonly code = 'ERR_PLATFORM'
  constructor(what: string, needs: string) {
    super(`${what} needs ${needs}, which this platform does not have`)
  }
}

/** A short picture of a value for a message. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
