/** Commands about other servers: this one has no replicas and no cluster, and says so. */
import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { millisecondsOf } from '../timeouts.ts'

const NO_REPLICAS = 'millpond serve has no replicas: several servers are kept in step by the mesh of the library'

const replicaof: Command = {
  name: 'replicaof',
  since: '5.0.0',
  group: 'server',
  summary: 'Configures a server as replica of another, or promotes it to a master.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['admin', 'noscript', 'stale'],
  syntax: '<host port | NO ONE>',
  refuses: 'no replicas; NO ONE is accepted',
  run(_client, args, reply) {
    if (!args.is(1, 'no') || !args.is(2, 'one')) throw new ReplyError(NO_REPLICAS)
    reply.ok()
  },
}

const failover: Command = {
  name: 'failover',
  since: '6.2.0',
  group: 'server',
  summary: 'Starts a coordinated failover from a server to one of its replicas.',
  complexity: 'O(1)',
  arity: -1,
  flags: ['admin', 'noscript', 'stale'],
  syntax: '[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]',
  refuses: 'no replicas',
  run() {
    throw new ReplyError('FAILOVER requires connected replicas.')
  },
}

const wait: Command = {
  name: 'wait',
  since: '3.0.0',
  group: 'generic',
  summary: 'Blocks until the writes of the connection are acknowledged by replicas.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['noscript'],
  categories: ['connection'],
  syntax: 'numreplicas timeout',
  run(client, args, reply) {
    const replicas = args.integer(1)
    const timeoutMs = millisecondsOf(args, 2)
    if (replicas <= 0) reply.integer(0)
    else client.block([], timeoutMs)
  },
  timedOut(_client, reply) {
    reply.integer(0)
  },
}

const role: Command = {
  name: 'role',
  since: '2.8.12',
  group: 'server',
  summary: 'Returns the replication role.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast'],
  categories: ['admin', 'dangerous'],
  run(_client, _args, reply) {
    reply.array(3)
    reply.bulk('master')
    reply.integer(0)
    reply.array(0)
  },
}

function withoutCluster(name: string, arity: number, summary: string): Command {
  return {
    name,
    since: '3.0.0',
    group: 'cluster',
    summary,
    complexity: 'O(1)',
    arity,
    flags: ['fast', ...(name === 'asking' ? [] : (['loading', 'stale'] as const))],
    categories: ['connection'],
    refuses: 'no cluster',
    run() {
      throw new ReplyError('This instance has cluster support disabled')
    },
  }
}

export const aloneCommands: readonly Command[] = [
  replicaof,
  { ...replicaof, name: 'slaveof', since: '1.0.0' },
  failover,
  wait,
  role,
  withoutCluster('asking', 1, 'Signals that a cluster client is following an -ASK redirect.'),
  withoutCluster('readonly', 1, 'Enables read-only queries for a connection to a Redis Cluster replica node.'),
  withoutCluster('readwrite', 1, 'Enables read-write queries for a connection to a Redis Cluster replica node.'),
]
