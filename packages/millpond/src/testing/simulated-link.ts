import type { Random } from '../core/random.ts'

/** How the way from one host of a simulated network to another behaves. Everything is drawn from the network's seed. */
export interface SimulatedLink {
  /** The share of datagrams that vanish, 0 to 1. Default: 0. */
  readonly loss?: number
  /** The share of datagrams that come twice. Default: 0. */
  readonly duplication?: number
  /** The share of datagrams that are held back by `reorderingMs` more, so that later ones overtake them. Default: 0. */
  readonly reordering?: number
  /** How long a datagram that is reordered is held back at most, in milliseconds. Default: 5. */
  readonly reorderingMs?: number
  /** The share of datagrams in which one bit is flipped. Default: 0. */
  readonly corruption?: number
  /** One way, in milliseconds: always the same, evenly between two, or drawn by a function. Default: 0.1. */
  readonly delayMs?: number | readonly [least: number, most: number] | ((random: Random) => number)
  /** Nothing comes through: datagrams vanish, and streams stand still. Default: false. */
  readonly blocked?: boolean
  /** Longer datagrams vanish. Default: 65,507. */
  readonly datagramBytesMax?: number
  /** How fast streams are, in bytes a millisecond. Default: without bound. */
  readonly streamBytesPerMs?: number
  /** A stream breaks when it has carried this many bytes this way. Default: never. */
  readonly streamBytesMax?: number
}

/** A link of which everything is known. */
export type WholeLink = Required<SimulatedLink>

/** A network without faults: 0.1 ms away. */
export const PERFECT_LINK: WholeLink = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderingMs: 5,
  corruption: 0,
  delayMs: 0.1,
  blocked: false,
  datagramBytesMax: 65_507,
  streamBytesPerMs: Number.POSITIVE_INFINITY,
  streamBytesMax: Number.POSITIVE_INFINITY,
}

/** How long one thing takes on this link. */
export function drawDelayMs(link: WholeLink, random: Random): number {
  const { delayMs } = link
  if (typeof delayMs === 'number') return delayMs
  if (typeof delayMs === 'function') return Math.max(0, delayMs(random))
  return delayMs[0] + (delayMs[1] - delayMs[0]) * random()
}
