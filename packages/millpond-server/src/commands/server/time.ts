import type { Command } from '../command.ts'

/** What time it is: seconds, and microseconds within them. */
export const time: Command = {
  name: 'time',
  since: '2.6.0',
  group: 'server',
  summary: 'Returns the server time.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['loading', 'stale', 'fast'],
  run({ service }, _args, reply) {
    const { nowMs } = service.time
    // Milliseconds are what the server counts in; the rest of a microsecond's place tells calls apart.
    const microseconds = (nowMs % 1000) * 1000 + (Math.floor(performance.now() * 1000) % 1000)
    reply.array(2)
    reply.bulk(String(Math.floor(nowMs / 1000)))
    reply.bulk(String(microseconds))
  },
}
