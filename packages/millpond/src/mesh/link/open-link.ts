import type { Clock } from '../../core/clock.ts'
import { OptionError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { Transport } from '../../core/transport.ts'
import type { PacketSealer } from '../security/packet-sealer.ts'
import type { StreamSealer } from '../security/stream-sealer.ts'
import { Agenda } from './agenda.ts'
import { NAME_BYTES_MAX } from './hello.ts'
import type { Link, LinkReceiver } from './link.ts'
import { LocalHealth } from './local-health.ts'
import { MeshLink } from './mesh-link.ts'
import { Outbox } from './outbox.ts'
import { Roster } from './roster.ts'
import { SentRing } from './sent-ring.ts'
import { type LinkLimits, wholeLimits } from './settings.ts'

export interface LinkOptions {
  readonly transport: Transport
  /** Seals packets; its `self` is the id of this process. */
  readonly sealer: PacketSealer
  /** Seals streams, for the same id and mesh. */
  readonly streams: StreamSealer
  /** Only its monotonic time is used. */
  readonly clock: Clock
  readonly random: Random
  /** What this process calls itself, up to 200 bytes. Whoever had this name before is taken for dead. */
  readonly name: string
  readonly limits?: LinkLimits
  /** A socket failed; the transport tries to go on. Default: nothing. */
  readonly failed?: (error: Error) => void
}

/** Opens the transport and joins the mesh. Resolves at once: peers are told as they are met. */
export async function openLink(options: LinkOptions, receiver: LinkReceiver): Promise<Link> {
  const { transport, sealer, streams, clock, random, name } = options
  if (name === '' || new TextEncoder().encode(name).length > NAME_BYTES_MAX) {
    throw new OptionError('name', name, `give 1 to ${NAME_BYTES_MAX} bytes`)
  }
  if (transport.datagramBytesMax < DATAGRAM_BYTES_MIN) {
    const advice = `datagrams have to carry ${DATAGRAM_BYTES_MIN} bytes at least`
    throw new OptionError('transport.datagramBytesMax', transport.datagramBytesMax, advice)
  }
  const limits = wholeLimits(options.limits)
  let link: MeshLink | undefined
  const address = await transport.open({
    datagram: (bytes, host, port) => link?.datagram(bytes, host, port),
    stream: (stream) => void (link ? link.accept(stream) : stream.destroy()),
    failed: (error) => options.failed?.(error),
  })
  const ring = new SentRing(limits.ringDatagrams, limits.ringBytes)
  const outbox = new Outbox(transport, sealer, ring)
  const roster = new Roster(transport, receiver, limits.goneMax)
  const health = new LocalHealth(clock.monotonic())
  const agenda = new Agenda(clock, (nowMs, lateMs) => link!.look(nowMs, lateMs))
  const parts = { clock, random, limits, sealer, receiver, ring, outbox, roster, health, agenda }
  link = new MeshLink(parts, transport, streams, name, address)
  agenda.by(clock.monotonic())
  return link
}

/** What every path of IPv4 carries (RFC 791), less its heads. A message of 64 KiB then has 143 parts of 255. */
const DATAGRAM_BYTES_MIN = 508
