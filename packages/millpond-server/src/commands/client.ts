/** Who gives a command: a connection, a script, the log that is read at the start. What commands know of it. */
import type { Keyspace } from '../engine/keyspace.ts'
import type { Span } from '../engine/span.ts'
import type { Service } from './service.ts'

/** The state of one client that commands read and change. Owned by the protocol that speaks with it. */
export interface Client {
  readonly id: number
  readonly service: Service
  /** The selected database. */
  db: Keyspace
  /** Version of RESP that answers are written in. */
  protocol: 2 | 3

  /**
   * Waits until one of these keys has changed, then runs the same command again; after `timeoutMs` (Infinity: never) answers
   * `timedOut`. In a transaction or a script, where nobody waits, that is at once. The command returns without an answer.
   */
  block(keys: readonly Span[], timeoutMs: number): void

  /**
   * What the log and replicas are told in place of the command as it was given, because that would not do the same
   * again: several calls are several commands. `[]`: nothing.
   */
  logAs(...words: readonly (string | Uint8Array)[]): void
}
