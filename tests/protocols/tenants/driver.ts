/** What a protocol must be able to do to be tried: to come in by a secret, and to do everything that it has at somebody else's expense. */
import type { RunningServer } from '../../../packages/millpond-server/src/server.ts'
import type { Random } from '../redis/random.ts'
import type { Aim } from './calls.ts'

/** As whom. */
export interface Credentials {
  readonly cache: string
  readonly secret: string
}

export interface Driver {
  readonly name: string
  /**
   * Gives every command that the protocol has, so many variants of each; `meanwhile` is called while connections are open, and what comes by
   * itself after it is waited for. Returns all that came back, connection by connection.
   *
   * @param as `undefined`: as nobody
   */
  tryAll(
    server: RunningServer,
    as: Credentials | undefined,
    aim: Aim,
    random: Random,
    variants: number,
    meanwhile: () => void,
  ): Promise<Tried[]>
}

export interface Tried {
  /** The calls, to tell of a fault. */
  readonly calls: readonly string[]
  /** Bytes that came back, as a byte string. */
  readonly answers: string
}
