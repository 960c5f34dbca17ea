import type { Bus, BusMessage, BusReceiver } from '../core/bus.ts'
import { ClosedError, MeshError, ValueError } from '../core/errors.ts'
import { BusInbox } from './bus-inbox.ts'
import type { Link, PeerId } from './link/link.ts'
import { valueCodec } from './wire/value-codec.ts'

/** The first byte of messages of the bus. */
export const BUS_MESSAGE = 2

/** What the bus asks of its mesh. */
export interface BusMesh {
  readonly link: Link
  /** How many bus messages the peer has sent until now. */
  ask(peer: PeerId): Promise<number>
}

/**
 * The mesh as a bus between caches: a message of one reaches the caches of all other processes, in the order of its sender. Who may have
 * missed one is told so: messages that the link gave up, and those of a peer that was met after it had sent some.
 *
 * While the link has no room, messages wait, up to `WAITING_MAX`; beyond that `publish` rejects, and the next message that
 * goes out tells the others of the gap.
 */
export class MeshBus {
  readonly #mesh: BusMesh
  readonly #ends = new Set<End>()
  readonly #inboxes = new Map<PeerId, BusInbox>()
  readonly #waiting: Waiting[] = []
  #isClosed = false
  /** A message could not be sent: the next one says so. */
  #owesGap = false
  /** How many messages were numbered. */
  sent = 0

  constructor(mesh: BusMesh) {
    this.#mesh = mesh
  }

  /** An end for one cache. */
  end(): Bus {
    const end = new End(this, (closing) => void this.#ends.delete(closing))
    this.#ends.add(end)
    return end
  }

  /** Sends a message to the other processes, and to the other ends of this one. */
  async publish(from: End, message: BusMessage): Promise<void> {
    if (this.#isClosed) throw new ClosedError('the mesh')
    const parts = partsOf(message, this.#mesh.link.messageBytesMax - HEAD_BYTES_MAX)
    if (this.#waiting.length + parts.length > WAITING_MAX) {
      this.#owesGap = true
      throw new MeshError(`${this.#waiting.length} messages of the bus wait to be sent`)
    }
    await Promise.resolve()
    for (const end of this.#ends) if (end !== from) end.tell((receiver) => receiver.message(message))
    await Promise.all(parts.map((part) => this.#send(part)))
  }

  /** The link has room: sends what waits. */
  room(): void {
    while (this.#waiting.length > 0 && this.#mesh.link.room() > 0) {
      const { message, went } = this.#waiting.shift()!
      const { cache, kind, keys = null, tags = null } = message
      const wire: WireMessage = [++this.sent, this.#owesGap, cache, kind, keys, tags]
      this.#owesGap = false
      this.#mesh.link.send(Buffer.concat([Uint8Array.of(BUS_MESSAGE), valueCodec.encode(wire)]))
      went()
    }
  }

  /** A message of the bus has come. @throws ValueError where it is none */
  message(from: PeerId, body: Uint8Array): void {
    const wire = valueCodec.decode(body.subarray(1))
    if (!isWireMessage(wire)) throw new ValueError(undefined, 'its bytes are no message of a bus')
    const [number, afterGap, cache, kind, keys, tags] = wire
    const message = { cache, kind, ...(keys && { keys }), ...(tags && { tags }) }
    this.#inboxOf(from).message({ number, afterGap, message })
  }

  /** A peer was met, or messages of it are lost. */
  lost(from: PeerId): void {
    this.#inboxes.get(from)?.lost()
    const inbox = this.#inboxOf(from)
    this.#mesh.ask(from).then(
      (sent) => (Number.isSafeInteger(sent) ? inbox.placed(sent) : inbox.unplaced()),
      () => inbox.unplaced(),
    )
  }

  /** Forgets all peers but these. */
  keepOnly(peers: ReadonlySet<PeerId>): void {
    for (const peer of this.#inboxes.keys()) if (!peers.has(peer)) this.#inboxes.delete(peer)
  }

  close(): void {
    this.#isClosed = true
    for (const { failed } of this.#waiting.splice(0)) failed(new ClosedError('the mesh'))
  }

  #send(message: BusMessage): Promise<void> {
    return new Promise((went, failed) => {
      this.#waiting.push({ message, went, failed })
      this.room()
    })
  }

  #inboxOf(peer: PeerId): BusInbox {
    let inbox = this.#inboxes.get(peer)
    if (!inbox) {
      inbox = new BusInbox({
        message: (message) => this.#tell((receiver) => receiver.message(message)),
        gap: () => this.#tell((receiver) => receiver.gap()),
      })
      this.#inboxes.set(peer, inbox)
    }
    return inbox
  }

  #tell(tell: (receiver: BusReceiver) => void): void {
    for (const end of this.#ends) end.tell(tell)
  }
}

/** One cache's end of the bus. */
class End implements Bus {
  readonly #bus: MeshBus
  readonly #close: (end: End) => void
  readonly #receivers = new Set<BusReceiver>()

  constructor(bus: MeshBus, close: (end: End) => void) {
    this.#bus = bus
    this.#close = close
  }

  publish(message: BusMessage): Promise<void> {
    return this.#bus.publish(this, message)
  }

  subscribe(receiver: BusReceiver): () => void {
    this.#receivers.add(receiver)
    return () => void this.#receivers.delete(receiver)
  }

  tell(tell: (receiver: BusReceiver) => void): void {
    for (const receiver of this.#receivers) tell(receiver)
  }

  async close(): Promise<void> {
    this.#receivers.clear()
    this.#close(this)
  }
}

interface Waiting {
  readonly message: BusMessage
  readonly went: () => void
  readonly failed: (error: Error) => void
}

type WireMessage = [
  number: number,
  afterGap: boolean,
  cache: string,
  kind: BusMessage['kind'],
  keys: readonly string[] | null,
  tags: readonly string[] | null,
]

function isWireMessage(wire: unknown): wire is WireMessage {
  if (!Array.isArray(wire)) return false
  const [number, , cache, kind, ...names] = wire as unknown[]
  return (
    Number.isSafeInteger(number) &&
    typeof cache === 'string' &&
    (kind === 'delete' || kind === 'expire' || kind === 'clear') &&
    names.every((each) => each === null || (Array.isArray(each) && each.every((name) => typeof name === 'string')))
  )
}

/** A message as messages that fit: one of many keys means the same as several of fewer. */
function partsOf(message: BusMessage, bytesMax: number): BusMessage[] {
  const { keys = [], tags = [] } = message
  const names = [...keys, ...tags]
  if (names.length < 2 || names.reduce((sum, name) => sum + name.length * 3 + 4, 0) <= bytesMax) return [message]
  const half = Math.ceil(names.length / 2)
  const part = (from: number, to: number): BusMessage => ({
    ...message,
    ...(message.keys && { keys: keys.slice(from, to) }),
    ...(message.tags && { tags: tags.slice(Math.max(0, from - keys.length), Math.max(0, to - keys.length)) }),
  })
  return [part(0, half), part(half, names.length)].flatMap((each) => partsOf(each, bytesMax))
}

const WAITING_MAX = 10_000
/** What else stands in a message, at most. */
const HEAD_BYTES_MAX = 4096
