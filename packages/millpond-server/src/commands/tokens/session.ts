/** What clients may do by one token or access key, and for how long: one for all clients that came by it. */
import type { Meter } from '../../security/meter.ts'
import type { User } from '../acl/user.ts'
import type { Client } from '../client.ts'

export interface SessionTraits {
  readonly user: User
  /** Whether it may change caches and tokens. Default false. */
  readonly admin?: boolean
  /** Id of the key that signed the token. */
  readonly signedBy?: string
  /** How much its clients may do together. Default: no bound. */
  readonly meter?: Meter
  /** Default Infinity: never. */
  readonly expiresAtMs?: number
}

export class Session {
  /** 'token <id>', 'key <cache> <name>'. */
  readonly id: string
  readonly user: User
  readonly admin: boolean
  readonly signedBy: string | undefined
  readonly meter: Meter | undefined
  readonly expiresAtMs: number
  readonly clients: Set<Client> = new Set()
  readonly #onEmpty: () => void

  /** @param onEmpty called when the last client has left */
  constructor(id: string, traits: SessionTraits, onEmpty: () => void) {
    const { user, admin = false, signedBy, meter, expiresAtMs = Infinity } = traits
    this.id = id
    this.user = user
    this.admin = admin
    this.signedBy = signedBy
    this.meter = meter
    this.expiresAtMs = expiresAtMs
    this.#onEmpty = onEmpty
  }

  leave(client: Client): void {
    if (this.clients.delete(client) && this.clients.size === 0) this.#onEmpty()
  }
}
