/** `millpond/memcached`: a shared tier on one or several servers of Memcached. */
export { memcachedStore } from './memcached-store.ts'
export type { MemcachedStoreOptions } from './options.ts'
