import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Exchanges what two databases hold, at once for all clients. */
export const swapdb: Command = {
  name: 'swapdb',
  since: '4.0.0',
  group: 'server',
  summary: 'Swaps two Redis databases.',
  complexity: 'O(N) for N clients that watch or wait for keys of either',
  arity: 3,
  flags: ['write', 'fast'],
  categories: ['keyspace', 'dangerous'],
  syntax: 'index1 index2',
  run({ service }, args, reply) {
    const [one, other] = [1, 2].map((at) =>
      args.integer(at, () => new ReplyError(`invalid ${at === 1 ? 'first' : 'second'} DB index`)),
    )
    if (!service.databases[one!] || !service.databases[other!]) throw new ReplyError('DB index is out of range')
    if (one !== other) service.cache.swap(one!, other!)
    service.changes.count++
    reply.ok()
  },
}
