import type { Codec } from '../core/codec.ts'
import { deepCopy, deepFreeze } from '../core/copy.ts'
import { OptionError, ValueError } from '../core/errors.ts'

import type { CacheOptions } from './options.ts'

/**
 * Keeps what was handed out from changing what is kept: `seal` when a value enters, `open` for each reader. The two
 * together give a hit the same type as a miss, because the caller of a load is given an opened value too.
 */
export interface Sealer {
  seal(value: unknown, key: string): unknown
  open(sealed: unknown): unknown
  /** Whether `open` gives the sealed value itself: then a hit need not call it. */
  isOpen(sealed: unknown): boolean
}

/**
 * The sealer of a cache's `copy` option, of those that it has a choice of.
 *
 * @throws OptionError (`ERR_OPTION`) when it is none of them
 */
export function sealerOf(copy: string, sealers: Readonly<Record<string, Sealer>> = SEALERS): Sealer {
  const names = Object.keys(sealers)
  if (names.includes(copy)) return sealers[copy]!
  throw new OptionError('copy', copy, `give one of ${names.join(', ')}`)
}

/** Keeps values as text of a codec. */
export function codecSealer(codec: Codec): Sealer {
  return {
    seal: (value, key) => guarded(key, () => codec.encode(value)),
    open: (sealed) => codec.decode(sealed as string),
    isOpen: () => false,
  }
}

/** The sealers that need no codec. */
export const SEALERS: Record<Exclude<CacheOptions['copy'] & {}, 'serialize'>, Sealer> = {
  reference: { seal: (value) => value, open: (value) => value, isOpen: () => true },
  clone: {
    seal: (value, key) => guarded(key, () => deepCopy(value, false)),
    open: (value) => deepCopy(value, false),
    isOpen: (value) => !isObject(value),
  },
  freeze: {
    seal: (value) => (isObject(value) && deepFreeze(value) ? new Bytes(deepCopy(value, true)) : value),
    open: (sealed) => (sealed instanceof Bytes ? deepCopy(sealed.value, true) : sealed),
    isOpen: (sealed) => !(sealed instanceof Bytes),
  },
}

/** Marks a frozen value that holds bytes: the one kind that must be copied for each reader. */
class Bytes {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

/** The value inside, for whoever weighs it. */
export function unsealed(sealed: unknown): unknown {
  return sealed instanceof Bytes ? sealed.value : sealed
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function guarded<T>(key: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new ValueError(key, cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
