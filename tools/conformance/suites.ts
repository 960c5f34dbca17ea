/** All conformance suites. */
import type { Suite } from './suite.ts'
import { redisExternal, redisSpawned } from './tcl.ts'

export const SUITES: readonly Suite[] = [redisExternal, redisSpawned]
