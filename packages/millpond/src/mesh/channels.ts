import type { Link, LinkStream, PeerId } from './link/link.ts'

/** What a stream or a hint is for: its first byte says. */
export const Channel = { repair: 1, values: 2, questions: 3 } as const

/**
 * The link as one of several users sees it: its streams and hints are marked, so that the other side hands them to the same
 * user. Everything else is the link's own.
 */
export class ChannelLink implements Link {
  readonly self: PeerId
  readonly address: Link['address']
  readonly messageBytesMax: number
  readonly #link: Link
  readonly #mark: Uint8Array

  constructor(link: Link, channel: number) {
    this.#link = link
    this.#mark = Uint8Array.of(channel)
    this.self = link.self
    this.address = link.address
    this.messageBytesMax = link.messageBytesMax
  }

  get datagramBodyBytes(): number {
    return this.#link.datagramBodyBytes - 1
  }

  hint(body: Uint8Array, to?: PeerId): void {
    this.#link.hint(Buffer.concat([this.#mark, body]), to)
  }

  async connect(to: PeerId): Promise<LinkStream> {
    const stream = await this.#link.connect(to)
    await stream.write(this.#mark)
    return stream
  }

  room(): number {
    return this.#link.room()
  }

  send(body: Uint8Array): number {
    return this.#link.send(body)
  }

  acknowledged(): number {
    return this.#link.acknowledged()
  }

  sent(): number {
    return this.#link.sent()
  }

  peers(): ReturnType<Link['peers']> {
    return this.#link.peers()
  }

  stats(): ReturnType<Link['stats']> {
    return this.#link.stats()
  }

  leave(): Promise<void> {
    return this.#link.leave()
  }
}
