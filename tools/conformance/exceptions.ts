/** Tests that are not asked of Millpond, each with its reason: they are skipped where they can be, and told as not passed. */

export interface Exception {
  /** The suite, or several with the same tests. */
  readonly suites: readonly string[]
  /** The unit of a Tcl suite. */
  readonly unit: string
  readonly tests: readonly string[]
  readonly reason: string
  /** It is run all the same: others go on from what it leaves. */
  readonly isRun?: true
}

const REPLICAS =
  'it needs a replica: servers are kept in step by the mesh of the library, not by the replication of Redis'

/** A whole copy of the data, and then every change: what replicas ask for. */
const SYNC = 'it asks for SYNC, the first word of the replication of Redis'
const MARKS =
  "the test's own reader of append-only files knows no remarks (Redis passes over them): ours has checksums in some"
const BOUND =
  'it needs one command to go past maxmemory: that bound holds for us, and what does not fit is refused by OOM'
const NO_LOG = 'it rewrites and reads an append-only log although appendonly is no: here there is none to rewrite'
const LOG_TEXT = "it looks for a sentence of Redis's own log of what it does"
const REHASH = 'it asks how the hash table of Redis grows, by DEBUG HTSTATS and its own sizes'
const RACE =
  'it asks by one connection what has come by another at the very moment when that was written: here the one who asks may be read first'
/** What is asked next may be read first: epoll still has that connection at the head of its list. redis-server fails it now and then, too. */
const STOPPED =
  'it stops the server before that has come to wait for events, as happens on a busy machine, and wants its own question read last'
const TURNS =
  'it wants to be cut off for answers that it would read: on a busy machine they are sent in two turns, and the first lie in its socket'
/** 64 parts, of which each has an index from the start. */
const EMPTY =
  'it sets maxmemory to 11 MB, of which the arena takes 4.8 MB before the first key: so keys leave before clients do'
const LUA = 'it wants the whole of Lua to take less than 100 kB: ours is WebAssembly, whose memory begins above that'
const EXPIRY =
  'it wants the expiry of a set of a million members to take more than 20 ms: here that is one object, let go of at once'
const LOOPBACK = 'where no address is given we listen on loopback, and redis-server on all'
const ARENA = 'it runs only where INFO says that the allocator is jemalloc'

export const EXCEPTIONS: readonly Exception[] = [
  {
    suites: ['redis-spawn'],
    unit: 'auth',
    tests: ['MASTERAUTH test with binary password'],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'pubsubshard',
    tests: ['setup replication for following tests', 'publish message to master and receive on replica'],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'networking',
    tests: ['CONFIG SET bind-source-addr'],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'networking',
    tests: ['Default bind address configuration handling'],
    reason: LOOPBACK,
  },
  {
    suites: ['redis-spawn'],
    unit: 'multi',
    tests: [
      'MULTI / EXEC is not propagated (single write command)',
      'MULTI / EXEC is propagated correctly (empty transaction)',
      'MULTI / EXEC is propagated correctly (multiple commands with SELECT)',
      'MULTI / EXEC is propagated correctly (multiple commands)',
      'MULTI / EXEC is propagated correctly (read-only commands)',
      'MULTI / EXEC is propagated correctly (write command, no effect)',
      'MULTI / EXEC with REPLICAOF',
      'MULTI propagation of EVAL',
      'MULTI propagation of PUBLISH',
      'MULTI propagation of SCRIPT FLUSH',
      'MULTI propagation of SCRIPT LOAD',
      'MULTI propagation of XREADGROUP',
      'exec with read commands and stale replica state change',
      'exec with write commands and state change',
    ],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'expire',
    tests: [
      'All TTL in commands are propagated as absolute timestamp in replication stream',
      'First server should have role slave after REPLICAOF',
      'For all replicated TTL-related commands, absolute expire times are identical on primary and replica',
      'GETEX propagate as to replica as PERSIST, DEL, or nothing',
      'expired key which is created in writeable replicas should be deleted by active expiry',
    ],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'expire',
    tests: [
      'All time-to-live(TTL) in commands are propagated as absolute timestamp in milliseconds in AOF',
      'SET command will remove expire in AOF',
    ],
    reason: MARKS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'integration/redis-cli',
    tests: ['Dumping an RDB - functions only: no', 'Dumping an RDB - functions only: yes', 'Connecting as a replica'],
    reason: SYNC,
  },
  {
    suites: ['redis'],
    unit: 'scripting',
    tests: ['not enough good replicas'],
    reason: REPLICAS,
  },
  {
    suites: ['redis'],
    unit: 'scripting',
    tests: ['EVAL does not leak in the Lua stack'],
    reason: LUA,
  },
  {
    suites: ['redis'],
    unit: 'latency-monitor',
    tests: ['LATENCY of expire events are correctly collected'],
    reason: EXPIRY,
    isRun: true,
  },
  {
    suites: ['redis', 'redis-spawn'],
    unit: 'tracking',
    tests: ['Tracking invalidation message of eviction keys should be before response'],
    reason: BOUND,
  },
  {
    suites: ['redis'],
    unit: 'type/string',
    tests: ['trim on SET with big value'],
    reason: ARENA,
  },
  {
    suites: ['redis-spawn'],
    unit: 'multi',
    tests: ['MULTI with BGREWRITEAOF'],
    reason: NO_LOG,
  },
  {
    suites: ['redis-spawn'],
    unit: 'other',
    tests: [
      'Same dataset digest if saving/reloading as AOF?',
      'EXPIRES after a reload (snapshot + append only file rewrite)',
      'EXPIRES after AOF reload (without rewrite)',
    ],
    reason: NO_LOG,
  },
  {
    suites: ['redis-spawn'],
    unit: 'expire',
    tests: [
      'SCAN: Lazy-expire should not be wrapped in MULTI/EXEC',
      'RANDOMKEY: Lazy-expire should not be wrapped in MULTI/EXEC',
    ],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'multi',
    tests: ['MULTI with config set appendonly'],
    reason: LOG_TEXT,
  },
  {
    suites: ['redis-spawn'],
    unit: 'other',
    tests: ["Don't rehash if redis has child process"],
    reason: REHASH,
  },
  {
    suites: ['redis-spawn'],
    unit: 'maxmemory',
    tests: [
      'slave buffer are counted correctly',
      "replica buffer don't induce eviction",
      'propagation with eviction',
      'propagation with eviction in MULTI',
    ],
    reason: REPLICAS,
  },
  {
    suites: ['redis-spawn'],
    unit: 'maxmemory',
    tests: ["Don't rehash if used memory exceeds maxmemory after rehash"],
    reason: REHASH,
  },
  {
    suites: ['redis-spawn'],
    unit: 'maxmemory',
    tests: [
      'eviction due to output buffers of many MGET clients, client eviction: true',
      'eviction due to input buffer of a dead client, client eviction: true',
      'eviction due to output buffers of pubsub, client eviction: true',
    ],
    reason: EMPTY,
  },
  {
    suites: ['redis-spawn'],
    unit: 'other',
    tests: ['Process title set as expected'],
    reason: 'the title of the process is that of Node',
  },
  {
    suites: ['redis-spawn'],
    unit: 'client-eviction',
    tests: ['client evicted due to percentage of maxmemory'],
    reason: RACE,
  },
  {
    suites: ['redis-spawn'],
    unit: 'client-eviction',
    tests: ['avoid client eviction when client is freed by output buffer limit'],
    reason: STOPPED,
    isRun: true,
  },
  {
    suites: ['redis-spawn'],
    unit: 'obuf-limits',
    tests: ['No response for multi commands in pipeline if client output buffer limit is enforced'],
    reason: TURNS,
    isRun: true,
  },
  {
    suites: ['redis-spawn'],
    unit: 'memefficiency',
    tests: [
      'Active defrag',
      'Active defrag eval scripts',
      'Active defrag big keys',
      'Active defrag big list',
      'Active defrag edge case',
    ],
    reason: ARENA,
  },
  {
    suites: ['redis-spawn'],
    unit: 'introspection',
    tests: ['config during loading'],
    reason: 'files are read before the server listens, so that nobody hears LOADING',
  },
  {
    suites: ['redis-spawn'],
    unit: 'introspection',
    tests: ['CONFIG REWRITE handles rename-command properly'],
    reason: 'commands keep their names: rename-command is refused at the start, and points to rules of users',
  },
]

/** Those of one unit. */
export function exceptionsOf(suite: string, unit: string): readonly Exception[] {
  return EXCEPTIONS.filter((exception) => exception.suites.includes(suite) && exception.unit === unit)
}

/** Why a test, by the name that the suite's outcome gives it, is not asked; `undefined`: it is. */
export function reasonFor(suite: string, name: string): string | undefined {
  const found = EXCEPTIONS.find(
    ({ suites, unit, tests }) => suites.includes(suite) && tests.some((test) => `${unit}: ${test}` === name),
  )
  return found?.reason
}
