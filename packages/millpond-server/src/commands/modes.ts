/** Bits that say what is special about a client or the server. A command whose client and server have none takes the short way. */

/** Of a client. */
export const CLIENT_MODE = {
  /** Has yet to say who it is. */
  UNAUTHENTICATED: 1,
  /** Between MULTI and EXEC. */
  QUEUEING: 2,
  /** In RESP2, and subscribed to something: may give few commands. */
  SUBSCRIBED: 4,
  /** Its user may not do everything. */
  LIMITED: 8,
  /** Is told when a key changes that it has read. */
  TRACKING: 16,
  /** What it reads counts as no use: CLIENT NO-TOUCH. */
  NO_TOUCH: 256,
  /** Inside EXEC or a script: nobody waits. */
  NEVER_BLOCKS: 32,
  /** What the log is read by: is not stopped by a lack of memory. */
  REPLAYING: 64,
  /** What it or its cache may do in a second has a bound. */
  METERED: 128,
} as const

/** Of the server. */
export const SERVICE_MODE = {
  /** CLIENT PAUSE. */
  PAUSED: 1,
  /** Somebody listens by MONITOR. */
  MONITORED: 2,
  /** Memory has a bound that commands must ask about before they run. */
  BOUNDED: 4,
  /** The log can not be written: commands that change are refused. */
  LOG_FAILED: 8,
  /** A script has run too long, and goes on in slices. */
  BUSY: 16,
} as const
