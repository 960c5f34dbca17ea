import { type Duration, durationMs } from '../core/duration.ts'
import { OptionError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { EntryOptions } from './options.ts'

/** Entry options resolved to numbers: how long an entry lives, and what may be done with it when it is old. */
export interface Life {
  readonly ttl: EntryOptions['ttl'] & {}
  readonly negativeTtlMs: number | undefined
  readonly idleMs: number
  readonly jitter: number
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  /** Share of ttl after which a read renews; 1: off. */
  readonly refreshAhead: number
  /** Beta of XFetch; 0: off. */
  readonly earlyExpiration: number
  readonly softTimeoutMs: number
  readonly hardTimeoutMs: number
  readonly lock: 'process' | 'store'
  readonly tags: readonly string[]
  readonly weight: number | undefined
  /** What becomes of a value that a store had, before anybody sees it; when it throws, the value is a miss. */
  readonly accept: Accept | undefined
}

/** Checks a decoded value, and gives the one to keep. */
export type Accept = (value: unknown, key: string) => unknown

/** What an entry gets where neither the call nor the cache says otherwise. */
export const DEFAULT_LIFE: Life = {
  ttl: 300_000,
  negativeTtlMs: undefined,
  idleMs: Number.POSITIVE_INFINITY,
  jitter: 0,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  refreshAhead: 1,
  earlyExpiration: 0,
  softTimeoutMs: Number.POSITIVE_INFINITY,
  hardTimeoutMs: Number.POSITIVE_INFINITY,
  lock: 'process',
  tags: [],
  weight: undefined,
  accept: undefined,
}

/**
 * The life that `options` describe on top of `defaults`. Tags are added to those of `defaults`, all else replaces.
 *
 * @throws OptionError (`ERR_OPTION`) naming the first option that cannot be used
 */
export function resolveLife<V>(options: EntryOptions<V> | undefined, defaults: Life): Life {
  if (options === undefined) return defaults
  const { ttl, idle, jitter, staleWhileRevalidate, staleIfError, refreshAhead, earlyExpiration, weight } = options
  if (ttl !== undefined && typeof ttl !== 'function') ttlMs(ttl)
  return {
    ttl: (ttl as Life['ttl'] | undefined) ?? defaults.ttl,
    negativeTtlMs: positive(options.negativeTtl, 'negativeTtl', defaults.negativeTtlMs),
    idleMs: positive(idle, 'idle', defaults.idleMs),
    jitter: within(jitter, 'jitter', 1, defaults.jitter),
    staleWhileRevalidateMs: duration(staleWhileRevalidate, 'staleWhileRevalidate', defaults.staleWhileRevalidateMs),
    staleIfErrorMs: duration(staleIfError, 'staleIfError', defaults.staleIfErrorMs),
    refreshAhead: within(refreshAhead, 'refreshAhead', 1, defaults.refreshAhead),
    earlyExpiration: within(earlyExpiration, 'earlyExpiration', Number.MAX_VALUE, defaults.earlyExpiration),
    softTimeoutMs: duration(options.softTimeout, 'softTimeout', defaults.softTimeoutMs),
    hardTimeoutMs: positive(options.hardTimeout, 'hardTimeout', defaults.hardTimeoutMs),
    lock: lockOf(options.lock, defaults.lock),
    tags: options.tags === undefined || options.tags.length === 0 ? defaults.tags : union(defaults.tags, options.tags),
    weight: within(weight, 'weight', Number.MAX_SAFE_INTEGER, defaults.weight),
    accept: (options as { accept?: Accept }).accept ?? defaults.accept,
  }
}

/** Milliseconds that a value is fresh under `life`, jitter included; Infinity for `'forever'`. */
export function freshMsOf(value: unknown, life: Life, random: Random): number {
  const isNothing = value === undefined || value === null
  const given = typeof life.ttl === 'function' ? life.ttl(value) : life.ttl
  const ms = isNothing && life.negativeTtlMs !== undefined ? life.negativeTtlMs : ttlMs(given)
  return life.jitter > 0 ? ms * (1 - life.jitter * random()) : ms
}

/** A tag or tags as a list, checked. */
export function tagList(tags: string | readonly string[]): readonly string[] {
  const list = typeof tags === 'string' ? [tags] : tags
  for (const tag of list) {
    if (typeof tag !== 'string' || tag === '' || tag.charCodeAt(0) === 0) {
      throw new OptionError('tags', tag, 'a tag is a string that is not empty and does not begin with \\0')
    }
  }
  return list
}

function ttlMs(ttl: Duration | 'forever'): number {
  if (ttl === 'forever' || ttl === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  return positive(ttl, 'ttl', 0)
}

function duration<D>(given: Duration | undefined, name: string, otherwise: D): number | D {
  return given === undefined ? otherwise : durationMs(given, name)
}

function positive<D>(given: Duration | undefined, name: string, otherwise: D): number | D {
  const ms = duration(given, name, otherwise)
  if (ms === 0 && given !== undefined) {
    throw new OptionError(
      name,
      given,
      `give more than 0, or 'forever' as a ttl; to keep nothing, return ctx.skip(value)`,
    )
  }
  return ms
}

function within<D>(given: number | undefined, name: string, most: number, otherwise: D): number | D {
  if (given === undefined) return otherwise
  if (typeof given === 'number' && given >= 0 && given <= most) return given
  throw new OptionError(name, given, `give a number from 0 to ${most}`)
}

function lockOf(given: Life['lock'] | undefined, otherwise: Life['lock']): Life['lock'] {
  if (given === undefined || given === 'process' || given === 'store') return given ?? otherwise
  throw new OptionError('lock', given, "give 'process' or 'store'")
}

function union(first: readonly string[], given: string | readonly string[]): readonly string[] {
  const second = tagList(given)
  return first.length === 0 ? second : [...new Set([...first, ...second])]
}
