import type { BusMessage } from '../core/bus.ts'

/** What a peer's messages lead to here. */
export interface InboxReceiver {
  message(message: BusMessage): void
  gap(): void
}

/** A message of a peer. */
export interface Numbered {
  /** From 1 up. */
  readonly number: number
  readonly message: BusMessage
  /** The peer could not send what came before. */
  readonly afterGap: boolean
}

/**
 * Puts the bus messages of one peer in order. The link brings each exactly once, in any order, or says that some are lost: a message that
 * comes early waits for those before it, and what cannot come any more is told as a gap.
 */
export class BusInbox {
  readonly #receiver: InboxReceiver
  /** The number of the next message; undefined until the peer has said where it stands. */
  #next: number | undefined
  readonly #early = new Map<number, Numbered>()

  constructor(receiver: InboxReceiver) {
    this.#receiver = receiver
  }

  /** The peer has sent so many messages until now. What of these has not come is missed. */
  placed(sent: number): void {
    if (this.#next !== undefined) return
    const come = this.#take((number) => number <= sent)
    if (come.length < sent) this.#receiver.gap()
    for (const each of come) this.#tell(each)
    this.#next = sent + 1
    this.#deliver()
  }

  /** The peer does not say where it stands: its next message does. */
  unplaced(): void {
    this.#receiver.gap()
    const come = this.#take(() => true)
    for (const each of come) this.#tell(each)
    this.#next = come.length > 0 ? come.at(-1)!.number + 1 : undefined
  }

  message(each: Numbered): void {
    if (this.#next !== undefined && each.number < this.#next) this.#receiver.gap()
    else this.#early.set(each.number, each)
    if (this.#early.size > EARLY_MAX) this.unplaced()
    else this.#deliver()
  }

  /** What has not come by now does not come any more. It has to be `placed` anew. */
  lost(): void {
    this.unplaced()
    this.#next = undefined
  }

  #deliver(): void {
    if (this.#next === undefined) return
    for (let each = this.#early.get(this.#next); each; each = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++)
      this.#tell(each)
    }
  }

  #tell({ message, afterGap }: Numbered): void {
    if (afterGap) this.#receiver.gap()
    this.#receiver.message(message)
  }

  /** Takes out those that came early and that `fit`, in their order. */
  #take(fit: (number: number) => boolean): Numbered[] {
    const taken = [...this.#early.values()].filter(({ number }) => fit(number)).sort((a, b) => a.number - b.number)
    for (const { number } of taken) this.#early.delete(number)
    return taken
  }
}

/** More messages than that do not wait for one that is missing. */
const EARLY_MAX = 10_000
