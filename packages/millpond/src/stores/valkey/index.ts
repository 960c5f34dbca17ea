/** `millpond/valkey`: a shared tier on Valkey or Redis. */
export type { ValkeyClient } from './client.ts'
export type { ValkeyConnectOptions, ValkeyStoreOptions } from './options.ts'
export { valkeyStore } from './store.ts'
