import { type Clock, systemClock } from '../core/clock.ts'
import { OptionError } from '../core/errors.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { DEFAULT_LIFE, type Life, resolveLife } from './life.ts'
import type { CacheOptions, MemoryOptions } from './options.ts'

/** The options of a cache, checked and with their defaults: resolved once, when it is made. */
export interface Settings {
  readonly name: string
  readonly life: Life
  readonly memory: MemoryOptions | false
  readonly copy: CacheOptions['copy'] & {}
  readonly enabled: boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** @throws OptionError (`ERR_OPTION`) naming the first option that cannot be used */
export function resolveSettings(options: CacheOptions): Settings {
  const { enabled = true, copy = 'freeze', name = 'cache' } = options
  return {
    name: checkedName(name, 'name'),
    life: resolveLife(options, DEFAULT_LIFE),
    memory: enabled ? (options.memory ?? {}) : false,
    copy,
    enabled,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

/** A name that stored keys are made with: it must not contain what separates their parts. */
export function checkedName(name: string, option: string): string {
  if (typeof name === 'string' && /^[\w.-]+$/.test(name)) return name
  throw new OptionError(option, name, 'use letters, digits, dots, dashes and underscores')
}
