/** The options of a failover store, checked once at the door. */
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, positiveMs } from '../../core/duration.ts'
import { OptionError, type StoreError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'

/** Options of `failoverStore`. */
export interface FailoverStoreOptions {
  /** Shown in events and errors. Default: the providers' names with `>` between them. */
  name?: string
  /**
   * A provider that does not answer within it is left alone, and the next one is asked. Smaller: a quicker switch, more
   * false alarms. All providers' timeouts together have to fit into the cache's `storeTimeout` (50 ms), for a call that
   * meets a frozen provider to be answered by the next one. Default: 20 ms for two, 15 ms for three, 45 ms divided by their number for more.
   */
  timeout?: Duration
  /** Told whenever a provider goes down or comes back, with the error that took it down. */
  onState?: (change: ProviderChange) => void
  clock?: Clock
}

/** A provider that went down or came back. */
export interface ProviderChange {
  readonly provider: string
  readonly state: 'up' | 'down'
  readonly error?: StoreError
}

/** The same, resolved. */
export interface FailoverSettings {
  readonly name: string
  readonly timeoutMs: number
  readonly onState: (change: ProviderChange) => void
  readonly clock: Clock
}

/** @throws OptionError (`ERR_OPTION`) */
export function resolveOptions(providers: readonly Store[], options: FailoverStoreOptions): FailoverSettings {
  const isList = Array.isArray(providers) && providers.length > 0
  if (!isList || !providers.every((provider) => typeof provider?.read === 'function'))
    throw new OptionError('providers', providers, 'give a list of stores, the preferred one first')
  if (new Set(providers).size < providers.length)
    throw new OptionError('providers', providers, 'name each store once: a store can not stand in for itself')
  const timeout = options.timeout ?? Math.min(TIMEOUT_MS_MAX, Math.floor(TIMEOUTS_MS / providers.length))
  return {
    name: options.name ?? providers.map(({ name }) => name).join(' > '),
    timeoutMs: positiveMs(timeout, 'timeout'),
    onState: options.onState ?? (() => {}),
    clock: options.clock ?? systemClock,
  }
}

/** What all providers together may take: a little less than the cache's `storeTimeout`. */
const TIMEOUTS_MS = 45
const TIMEOUT_MS_MAX = 20
