export { type EntryLife, HeapTable, type HeapTableDump, type HeapTableOptions } from './heap-table.ts'
export { MemoryBudget } from './memory-budget.ts'
export type { Policy, PolicyFactory, PolicyShape, RemovalReason } from './policy.ts'
export { tinyLfu } from './policies/tiny-lfu.ts'
