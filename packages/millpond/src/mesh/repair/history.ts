import type { PeerId } from '../link/link.ts'
import type { ByteReader } from '../wire/byte-reader.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'

interface Contact {
  /** The peer's own monotonic time up to which its state is part of ours. */
  theirMs: number
  /** Our monotonic time when that was so. */
  ownMs: number
}

/** A process by its own monotonic clock, in milliseconds. */
export interface Life {
  readonly id: PeerId
  /** Since when its state is its own: it started, or last dropped what it held. */
  readonly bornMs: number
  readonly nowMs: number
}

/**
 * Up to when the state of each process, living or dead, is part of ours: by being in step with it, or with somebody who was. It tells how
 * long two processes have been apart, each by its own clock, though neither has seen the other go.
 */
export class History {
  readonly #contacts = new Map<PeerId, Contact>()

  /** We are in step with a peer as of its time. */
  touch(peer: PeerId, theirMs: number, ownMs: number): void {
    const known = this.#contacts.get(peer)
    if (known && known.theirMs >= theirMs) return
    this.#contacts.delete(peer)
    this.#contacts.set(peer, { theirMs, ownMs })
    if (this.#contacts.size > CONTACTS_MAX) this.#contacts.delete(this.#contacts.keys().next().value!)
  }

  /** How long ago, in milliseconds, we were in step with a peer; `undefined` if never. */
  sinceMs(peer: PeerId, nowMs: number): number | undefined {
    const contact = this.#contacts.get(peer)
    return contact && nowMs - contact.ownMs
  }

  /** What a peer has seen is part of our state now. `between` is our time less its time. */
  merge(other: History, between: number): void {
    for (const [peer, { theirMs, ownMs }] of other.#contacts) this.touch(peer, theirMs, ownMs + between)
  }

  /** How long two processes have been apart; 0 where they have nothing to do with each other. */
  apartMs(own: Life, peer: Life, other: History): number {
    const ours = this.#contacts.get(peer.id)
    const theirs = other.#contacts.get(own.id)
    if (ours || theirs) return Math.max(ours ? missedMs(peer, ours) : 0, theirs ? missedMs(own, theirs) : 0)
    let leastMs = Number.POSITIVE_INFINITY
    for (const [id, contact] of this.#contacts) {
      const common = other.#contacts.get(id)
      if (common) leastMs = Math.min(leastMs, Math.max(own.nowMs - contact.ownMs, peer.nowMs - common.ownMs))
    }
    return leastMs === Number.POSITIVE_INFINITY ? 0 : leastMs
  }

  /** How many processes were in step with us in the last `withinMs`, and the lowest of their ids and ours. */
  company(self: PeerId, nowMs: number, withinMs: number): { readonly size: number; readonly lowest: PeerId } {
    const near = [...this.#contacts].filter(([, { ownMs }]) => nowMs - ownMs < withinMs).map(([id]) => id)
    return { size: near.length + 1, lowest: Math.min(self, ...near) }
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#contacts.size)
    for (const [peer, { theirMs, ownMs }] of this.#contacts) {
      writer.varint(peer)
      writer.double(theirMs)
      writer.double(ownMs)
    }
  }

  static read(reader: ByteReader): History {
    const history = new History()
    for (let rest = reader.count(); rest > 0; rest--) history.touch(reader.varint(), reader.double(), reader.double())
    return history
  }
}

/** What was changed by a process since the contact: nothing before it was born. */
function missedMs({ bornMs, nowMs }: Life, { theirMs }: Contact): number {
  return nowMs - Math.max(theirMs, bornMs)
}

const CONTACTS_MAX = 256
