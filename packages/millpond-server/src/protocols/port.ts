/** A port that a parameter names, on each of the addresses that `bind` names, moving when one of them changes. */
import type { Configuration } from '../commands/configuration/configuration.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Listening } from './listening.ts'

export class Port {
  readonly #configuration: Configuration
  readonly #parameter: string
  readonly #make: () => Listening
  /** By address and port. */
  #open = new Map<string, Listening>()
  /** No longer accepting: their connections go on. */
  readonly #left: Listening[] = []
  #pinned: string | undefined

  constructor(configuration: Configuration, parameter: string, make: () => Listening) {
    this.#configuration = configuration
    this.#parameter = parameter
    this.#make = make
  }

  /**
   * Listens. Addresses with '-' before them are left out where they are not there. Resolves with the port; 0: none.
   *
   * @param port overrides the parameter; 0: any free one
   */
  async start(port: number | undefined): Promise<number> {
    const configuration = this.#configuration
    const given = configuration.number(this.#parameter)
    let taken = port ?? given
    for (const host of taken === 0 && port === undefined ? [] : this.#hosts()) {
      const listening = this.#make()
      try {
        taken = await listening.listen({ host: addressOf(host), port: taken })
        this.#open.set(placeOf(host, taken), listening)
      } catch (error) {
        if (!host.startsWith('-')) throw error
      }
    }
    if (taken !== given) configuration.start(this.#parameter, String(taken))
    let started = false
    for (const [name, fault] of [
      [this.#parameter, 'Unable to listen on this port. Check server logs.'],
      ['bind', 'Failed to bind to specified addresses.'],
    ] as const) {
      configuration.follow(name, () => started && this.#move(fault))
    }
    started = true
    return taken
  }

  /** Descriptors of the sockets that listen. */
  get descriptors(): number[] {
    return [...this.#open.values()].flatMap(({ fd }) => (fd === undefined ? [] : [fd]))
  }

  /** From now on it does not move, and says why. */
  pin(reason: string): void {
    this.#pinned = reason
  }

  stop(): void {
    for (const listening of [...this.#open.values(), ...this.#left]) listening.stop()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#left].map((listening) => listening.close()))
  }

  /** Listens elsewhere from now on. Connections that are there stay. @throws ReplyError it cannot, and nothing has changed */
  #move(fault: string): void {
    if (this.#pinned !== undefined) throw new ReplyError(this.#pinned)
    const port = this.#configuration.number(this.#parameter)
    const wanted = new Map<string, Listening>()
    for (const host of port === 0 ? [] : this.#hosts()) {
      const place = placeOf(host, port)
      const listening = this.#open.get(place) ?? this.#make()
      const listens = this.#open.has(place) || listening.listenNow(addressOf(host), port)
      if (listens) wanted.set(place, listening)
      else if (!host.startsWith('-')) {
        for (const [other, opened] of wanted) if (!this.#open.has(other)) opened.stop()
        throw new ReplyError(fault)
      }
    }
    for (const [place, listening] of this.#open) {
      if (wanted.has(place)) continue
      listening.stop()
      this.#left.push(listening)
    }
    this.#open = wanted
  }

  #hosts(): string[] {
    return this.#configuration.text('bind').split(' ').filter(Boolean)
  }
}

function placeOf(host: string, port: number): string {
  return `${addressOf(host)} ${port}`
}

function addressOf(host: string): string {
  const address = host.replace(/^-/, '')
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address
}
