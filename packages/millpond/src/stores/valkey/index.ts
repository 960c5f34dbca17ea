/** `millpond/valkey`: a shared tier on Valkey or Redis, and a bus. */
export { type ValkeyBus, valkeyBus } from './bus.ts'
export type { ValkeyBusOptions, ValkeyBusStatus } from './bus-options.ts'
export type { ValkeyClient } from './client.ts'
export type { ValkeyConnectOptions, ValkeyStoreOptions } from './options.ts'
export { valkeyStore } from './store.ts'
