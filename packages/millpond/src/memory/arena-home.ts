/** The shape of a stripe's home: where its index, slots, expiries and policy lie in a run of pages. */
import type { ArenaMemory } from './arena-memory.ts'
import type { ArenaPages } from './arena-pages.ts'
import type { PolicyFactory } from './policy.ts'

/** What the stripes of a table share. */
export interface ArenaParts {
  readonly memory: ArenaMemory
  readonly pages: ArenaPages
  /** The policies that the table may use; one at a time. */
  readonly policies: readonly PolicyFactory[]
}

/** Where the parts of a home lie, and how many slots it has. */
export interface ArenaHome {
  /** Entries of the index - 1. */
  readonly mask: number
  readonly slots: number
  readonly indexWord: number
  readonly slotsWord: number
  /** 0: no column of expiries. */
  readonly expiresDouble: number
  readonly policyByte: number
  readonly pages: number
}

/** The fewest slots of a home. */
export const SLOTS_MIN = 32
/** The most slots for each entry of the index. */
const LOAD = 0.75

/**
 * Plans a home that begins at a page.
 *
 * @param shape number of slots; negative: with a column of expiries
 */
export function planHome({ memory, policies }: ArenaParts, shape: number, page: number): ArenaHome {
  const { pageBytes } = memory.layout
  const slots = Math.abs(shape)
  const entries = slots === 0 ? 0 : 2 ** Math.ceil(Math.log2(slots / LOAD))
  const indexByte = page * pageBytes
  const slotsByte = indexByte + entries * 8
  const expiresByte = align8(slotsByte + slots * 4)
  const policyByte = shape < 0 ? expiresByte + slots * 8 : expiresByte
  const end = policyByte + (slots === 0 ? 0 : policyBytes(policies, slots, memory.layout.stripes))
  return {
    mask: entries - 1,
    slots,
    indexWord: indexByte / 4,
    slotsWord: slotsByte / 4,
    expiresDouble: shape < 0 ? expiresByte / 8 : 0,
    policyByte,
    pages: Math.ceil((end - indexByte) / pageBytes),
  }
}

/** Slots of a stripe's first home: as many as fit in one page. `sign`: -1 with a column of expiries. */
export function firstSlots(parts: ArenaParts, sign: 1 | -1): number {
  let slots = SLOTS_MIN
  while (planHome(parts, sign * slots * 2, 0).pages === 1) slots *= 2
  return slots
}

/**
 * The least power of two, or half as much again as one, that is at least a fifth more than so many slots. Index and sketch are powers
 * of two, and all of them is in use however few slots there are: between such sizes they would be larger than the slots need.
 */
export function moreSlots(slots: number): number {
  const wanted = slots * 1.2
  const power = 2 ** Math.floor(Math.log2(wanted))
  return wanted <= power ? power : wanted <= power * 1.5 ? power * 1.5 : power * 2
}

/** Room for the state of any of the policies, so that one can take the place of another. */
export function policyBytes(policies: readonly PolicyFactory[], slots: number, parts: number): number {
  let most = 0
  for (const policy of policies) most = Math.max(most, policy.bytes({ slots, weighted: true, parts }))
  return most
}

function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
