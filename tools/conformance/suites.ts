/** All conformance suites. */
import { CLIENT_SUITES } from './clients.ts'
import { MEMCACHED_SUITES } from './memcached/suites.ts'
import type { Suite } from './suite.ts'
import { redisExternal, redisSpawned } from './tcl.ts'

export const SUITES: readonly Suite[] = [redisExternal, redisSpawned, ...CLIENT_SUITES, ...MEMCACHED_SUITES]
