/** `millpond/failover`: several shared tiers behind one, each standing in for the one before it. */
export { type FailoverStore, failoverStore, type ProviderStatus } from './failover-store.ts'
export type { FailoverStoreOptions, ProviderChange } from './options.ts'
