import type { Logger } from './logger.ts'
import { builtin } from './platform.ts'

/** The slice of `node:diagnostics_channel` that is called. */
interface Diagnostics {
  channel(name: string): Channel
}

interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/**
 * Tells events to listeners and to `node:diagnostics_channel`, where each name has a channel `<prefix><name>` whose
 * messages are the event with the fields of its source. Costs a test of two fields until someone listens.
 */
export class EventHub<Events> {
  readonly #source: object
  readonly #prefix: string
  readonly #logger: Logger
  readonly #ears = new Map<keyof Events, Ear>()

  /** @param source says in each message of a channel, and in reports, whose event it is */
  constructor(source: object, prefix: string, logger: Logger) {
    this.#source = source
    this.#prefix = prefix
    this.#logger = logger
  }

  /** Listens. Returns what stops it. */
  on<Name extends keyof Events>(name: Name, listen: (event: Events[Name]) => void): () => void {
    const ear = this.ear(name)
    ear.listeners.add(listen)
    return () => void ear.listeners.delete(listen)
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const { channel, listeners } = this.ear(name)
    if (channel?.hasSubscribers) channel.publish({ ...this.#source, ...event })
    for (const listen of listeners) {
      try {
        ;(listen as (event: Events[Name]) => void)(event)
      } catch (error) {
        this.#logger.error({ error, event: name, ...this.#source }, 'a listener of an event threw')
      }
    }
  }

  /** Who listens to an event; made when it is first asked for, because most events never happen. */
  ear(name: keyof Events): Ear {
    let ear = this.#ears.get(name)
    if (ear === undefined) this.#ears.set(name, (ear = new Ear(diagnostics?.channel(`${this.#prefix}${String(name)}`))))
    return ear
  }
}

const diagnostics = builtin<Diagnostics>('node:diagnostics_channel')

/** Those who listen to one kind of event. */
export class Ear {
  readonly listeners: Set<(event: never) => void> = new Set()
  readonly channel: Channel | undefined

  constructor(channel: Channel | undefined) {
    this.channel = channel
  }

  /** Whether anyone would hear: asked where making the event costs. */
  get hears(): boolean {
    return this.listeners.size > 0 || this.channel?.hasSubscribers === true
  }
}
