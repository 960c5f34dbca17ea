import { OptionError } from '../../core/errors.ts'

/** Sizes of a link. Each bounds a queue, so that no peer and no pause makes memory grow. */
export interface LinkLimits {
  /**
   * How many sent datagrams are kept for repair. Up: longer losses are repaired without comparing states. Down: less
   * memory. A power of two from 64 to 32,768. Default: 8,192.
   */
  readonly ringDatagrams?: number
  /** How many bytes they take at most. Default: 11 MiB. */
  readonly ringBytes?: number
  /**
   * How many datagrams may be under way to a peer that has not confirmed them. Up: faster over long distances. Down: less
   * is lost when a peer stalls. At most half of `ringDatagrams`. Default: 2,048.
   */
  readonly windowDatagrams?: number
  /** What messages that came in part may take, for each peer, in bytes. Default: 4 MiB. */
  readonly reassemblyBytes?: number
  /** How many dead and left peers are remembered. Default: 64. */
  readonly goneMax?: number
}

/** Limits with every default filled in. */
export type WholeLinkLimits = Required<LinkLimits>

/** The longest message that `Link.send` takes: longer ones go by streams. */
export const MESSAGE_BYTES_MAX: number = 64 * 1024

export function wholeLimits(limits: LinkLimits = {}): WholeLinkLimits {
  const whole = {
    ringDatagrams: limits.ringDatagrams ?? 8192,
    ringBytes: limits.ringBytes ?? 11 * 1024 * 1024,
    windowDatagrams: limits.windowDatagrams ?? Math.min(2048, (limits.ringDatagrams ?? 8192) / 2),
    reassemblyBytes: limits.reassemblyBytes ?? 4 * 1024 * 1024,
    goneMax: limits.goneMax ?? 64,
  }
  const { ringDatagrams, ringBytes, windowDatagrams, reassemblyBytes, goneMax } = whole
  check('ringDatagrams', ringDatagrams, 64, 32_768, 'give a power of two from 64 to 32,768')
  if (!Number.isInteger(Math.log2(ringDatagrams))) {
    throw new OptionError('ringDatagrams', ringDatagrams, 'give a power of two from 64 to 32,768')
  }
  check('ringBytes', ringBytes, MESSAGE_BYTES_MAX, 2 ** 32, 'give from 64 KiB to 4 GiB')
  check('windowDatagrams', windowDatagrams, 16, ringDatagrams / 2, 'give from 16 to half of ringDatagrams')
  check('reassemblyBytes', reassemblyBytes, 2 * MESSAGE_BYTES_MAX, 2 ** 32, 'give from 128 KiB to 4 GiB')
  check('goneMax', goneMax, 1, 4096, 'give from 1 to 4,096')
  return Object.freeze(whole)
}

function check(option: string, value: number, least: number, most: number, advice: string): void {
  if (!Number.isInteger(value) || value < least || value > most) throw new OptionError(option, value, advice)
}
