export {
  type ArenaHandle,
  type ArenaKey,
  type ArenaLife,
  type ArenaScan,
  ArenaTable,
  type ArenaTableOptions,
  type ArenaThreadOptions,
} from './arena-table.ts'
export type { ArenaView } from './arena-view.ts'
export { type EntryLife, HeapTable, type HeapTableDump, type HeapTableOptions } from './heap-table.ts'
export { MemoryBudget } from './memory-budget.ts'
export { lru } from './policies/lru.ts'
export { s3Fifo } from './policies/s3-fifo.ts'
export { sieve } from './policies/sieve.ts'
export { tinyLfu } from './policies/tiny-lfu.ts'
export type { Policy, PolicyFactory, PolicyShape, RemovalReason } from './policy.ts'
export { estimateBytes } from './weigher.ts'
