import type { Clock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { PacketSealer } from '../security/packet-sealer.ts'
import type { Agenda } from './agenda.ts'
import type { LinkReceiver } from './link.ts'
import type { LocalHealth } from './local-health.ts'
import type { Outbox } from './outbox.ts'
import type { Roster } from './roster.ts'
import type { SentRing } from './sent-ring.ts'
import type { WholeLinkLimits } from './settings.ts'

/** What the parts of a link share. */
export interface LinkParts {
  readonly clock: Clock
  readonly random: Random
  readonly limits: WholeLinkLimits
  readonly sealer: PacketSealer
  readonly receiver: LinkReceiver
  readonly ring: SentRing
  readonly outbox: Outbox
  readonly roster: Roster
  readonly health: LocalHealth
  readonly agenda: Agenda
}
