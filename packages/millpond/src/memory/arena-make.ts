/** A new arena as its options ask for it. */
import { OptionError } from '../core/errors.ts'
import { sizeBytes } from '../core/size.ts'
import { HEAD_BYTES, HEAD_BYTES_USE, planLayout, SPACES_MAX, TABLE } from './arena-layout.ts'
import { ArenaMemory } from './arena-memory.ts'
import type { ArenaTableOptions, ArenaThreadOptions } from './arena-options.ts'
import { tinyLfu } from './policies/tiny-lfu.ts'
import type { PolicyFactory } from './policy.ts'

/** The smallest bound of a table. */
export const WEIGHT_MIN: number = 256 * 1024

/** The memory of a new table. */
export function makeMemory(options: ArenaTableOptions): ArenaMemory {
  const bytes = sizeBytes(options.maxWeight, 'maxWeight')
  if (bytes < WEIGHT_MIN) throw new OptionError('maxWeight', options.maxWeight, `give at least '256kb'`)
  const { stripes } = options
  if (stripes !== undefined && !(stripes >= 1 && stripes <= 4096 && Number.isInteger(Math.log2(stripes)))) {
    throw new OptionError('stripes', stripes, 'give a power of two from 1 to 4096')
  }
  const { spaces = 1 } = options
  if (!(spaces >= 1 && spaces <= SPACES_MAX)) throw new OptionError('spaces', spaces, `give 1 to ${SPACES_MAX}`)
  const headBytes = options.uses === true ? HEAD_BYTES_USE : HEAD_BYTES
  const memory = ArenaMemory.create(planLayout(bytes, stripes, spaces, headBytes), options.own)
  const itemMost = Math.floor(memory.buffer.byteLength / 4)
  const item = options.maxItem === undefined ? itemMost : sizeBytes(options.maxItem, 'maxItem')
  if (item > itemMost) throw new OptionError('maxItem', options.maxItem, 'give at most a quarter of maxWeight')
  const [seed0, seed1] = options.seed ?? crypto.getRandomValues(new Int32Array(2))
  memory.words[TABLE.ITEM_BYTES_MAX] = item
  memory.words[TABLE.SEED_0] = seed0!
  memory.words[TABLE.SEED_1] = seed1!
  memory.words[TABLE.EXPIRIES] = options.expiries === true ? 1 : 0
  return memory
}

/** The policies that a table may be switched between. */
export function policiesOf({ policies, policy = tinyLfu }: ArenaThreadOptions): readonly PolicyFactory[] {
  return policies ?? [policy]
}

/** What two threads must agree on. */
export function namesOf(policies: readonly PolicyFactory[]): string {
  return policies.map(({ name }) => name).join(' ')
}
