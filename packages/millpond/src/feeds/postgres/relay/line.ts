/** The two channels over which the processes of a relay speak: one on which the feeder tells, one on which the others ask. */
import type { Bus, BusMessage } from '../../../core/bus.ts'
import { randomId } from '../../../core/ids.ts'
import type { Logger } from '../../../core/logger.ts'
import { FrameReader, FrameWriter, parseFrame } from './frames.ts'

/** Who hears what is said. */
export interface LineListener {
  /** A feeder says something; `undefined`: something that it said before is missing. */
  told?(sender: string, text: string | undefined): void
  /** Another process asks for something. */
  asked?(sender: string, text: string): void
  /** The bus may have lost messages, of anybody. */
  gap?(): void
}

/** Senders that are listened to at once: the one heard longest ago is forgotten. */
const SENDERS_MAX = 1000
/** The format of frames and messages: who speaks another one is not heard. */
const FORMAT = 1

export class Line {
  /** Random, of this process. */
  readonly id: string = randomId()
  private readonly bus: Bus
  private readonly logger: Logger
  private readonly tells: string
  private readonly asks: string
  private senders = 0

  /** @param name of the relay: several may share a bus */
  constructor(bus: Bus, name: string, logger: Logger) {
    this.bus = bus
    this.logger = logger
    // No cache has a name with a blank in it.
    this.tells = `relay ${FORMAT} tells ${name}`
    this.asks = `relay ${FORMAT} asks ${name}`
  }

  /** A feeder's end, of one epoch. */
  tell(): FrameWriter {
    return this.writer(this.tells)
  }

  /** A follower's end, of one epoch. */
  ask(): FrameWriter {
    return this.writer(this.asks)
  }

  /** Returns what ends it. */
  listen(listener: LineListener): () => void {
    const [told, asked] = [new Senders(), new Senders()]
    return this.bus.subscribe({
      message: ({ cache, kind, keys = [] }: BusMessage) => {
        if (cache !== this.tells && cache !== this.asks) return
        // A bus that has too much to say says `clear`: what it stood for is missing, as the numbers will tell.
        if (kind !== 'delete') return
        for (const key of keys)
          if (cache === this.tells) told.read(key, (sender, text) => listener.told?.(sender, text))
          else asked.read(key, (sender, text) => text !== undefined && listener.asked?.(sender, text))
      },
      gap: () => listener.gap?.(),
    })
  }

  private writer(channel: string): FrameWriter {
    const sender = `${this.id}.${++this.senders}`
    const failed = (error: unknown): void => this.logger.warn({ error }, 'the relay could not send')
    return new FrameWriter(this.bus, channel, sender, failed)
  }
}

/** A reader for each sender. */
class Senders {
  private readonly readers = new Map<string, FrameReader>()

  read(key: string, hear: (sender: string, text: string | undefined) => void): void {
    const frame = parseFrame(key)
    if (!frame) return
    const { sender } = frame
    const reader = this.readers.get(sender) ?? new FrameReader()
    this.readers.delete(sender)
    this.readers.set(sender, reader)
    const [oldest] = this.readers.keys()
    if (this.readers.size > SENDERS_MAX) this.readers.delete(oldest!)
    const result = reader.read(frame)
    if (result !== undefined) hear(sender, result === 'lost' ? undefined : result.text)
  }
}
