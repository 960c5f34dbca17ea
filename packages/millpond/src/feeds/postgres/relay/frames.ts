/**
 * Numbered pieces of text over a bus. A bus carries names of what has changed, in the order of their sender, may split a
 * message, bring one twice or lose some; so what a process says is cut into frames, each a name with a number, and who
 * reads them puts them together again, or learns that one is missing. They travel under the name of a cache that no cache has.
 */
import type { Bus } from '../../../core/bus.ts'

/** Long enough for most of what is said, short enough for a message of any bus. */
const CHUNK_CHARS = 2000

/** Says things on a channel, as one sender. What is said in one turn leaves together. */
export class FrameWriter {
  private readonly bus: Bus
  private readonly channel: string
  readonly sender: string
  private readonly failed: (error: unknown) => void
  private waiting: string[] = []
  private number = 0

  /** @param failed called when frames were not sent: readers will find them missing */
  constructor(bus: Bus, channel: string, sender: string, failed: (error: unknown) => void) {
    this.bus = bus
    this.channel = channel
    this.sender = sender
    this.failed = failed
  }

  write(text: string): void {
    if (this.waiting.length === 0) queueMicrotask(() => this.flush())
    const count = Math.max(1, Math.ceil(text.length / CHUNK_CHARS))
    for (let part = 0; part < count; part++) {
      const chunk = text.slice(part * CHUNK_CHARS, (part + 1) * CHUNK_CHARS)
      this.waiting.push(`${this.sender} ${++this.number} ${part} ${count - part - 1} ${chunk}`)
    }
  }

  private flush(): void {
    const keys = this.waiting
    this.waiting = []
    // A bus that throws instead of rejecting has not sent them either.
    const send = async (): Promise<void> => this.bus.publish({ cache: this.channel, kind: 'delete', keys })
    send().catch(this.failed)
  }
}

/** One frame, taken apart. */
export interface Frame {
  readonly sender: string
  /** From 1 up. */
  readonly number: number
  /** How many frames of the same text come before it, and after it. */
  readonly before: number
  readonly after: number
  readonly chunk: string
}

/** `undefined` for what is none. */
export function parseFrame(text: string): Frame | undefined {
  const match = /^(\S{1,100}) (\d{1,15}) (\d{1,9}) (\d{1,9}) /.exec(text)
  if (!match) return undefined
  const [number, before, after] = match.slice(2).map(Number) as [number, number, number]
  return { sender: match[1]!, number, before, after, chunk: text.slice(match[0].length) }
}

/** Puts the frames of one sender together. It may begin to listen at any time; from then on it knows when one is missing. */
export class FrameReader {
  private next: number | undefined
  private parts: string[] = []

  /** The text that ends with this frame, or `'lost'`: frames before it are missing. One that comes again is nothing. */
  read({ number, before, after, chunk }: Frame): { readonly text: string } | 'lost' | undefined {
    if (this.next !== undefined && number < this.next) return undefined
    const isLost = this.next !== undefined && number > this.next
    this.next = number + 1
    if (isLost || before === 0) this.parts = []
    // The beginning of this text was not heard.
    if (before === this.parts.length) this.parts.push(chunk)
    if (isLost) return 'lost'
    if (after > 0 || this.parts.length !== before + 1) return undefined
    return { text: this.parts.join('') }
  }
}
