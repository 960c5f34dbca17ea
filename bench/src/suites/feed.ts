/** The suite `feed`: how soon a commit is told, how fast changes are read, and what reads cost that cannot be stale. */

import { startPostgres } from '../../../tools/servers/postgres.ts'
import type { Row, Suite, SuiteContext } from '../suite.ts'
import { analysis } from './feed/analysis.ts'
import { decoding } from './feed/decoding.ts'
import { evictions } from './feed/evictions.ts'
import { fleet } from './feed/fleet.ts'
import { reads } from './feed/reads.ts'
import { pinTo } from './store/pin.ts'

/** The parts by name: `npm run bench -- feed reads` runs one of them. */
const PARTS: Readonly<Record<string, (context: SuiteContext, url: string) => Promise<Row[]>>> = {
  evictions,
  decoding,
  reads,
  analysis,
  fleet,
}

export const suite: Suite = {
  name: 'feed',
  summary: `the change feed of PostgreSQL: ${Object.keys(PARTS).join(', ')} (name some to run only those)`,
  async run(context) {
    const unknown = context.words.filter((word) => !Object.hasOwn(PARTS, word))
    if (unknown.length > 0)
      throw new Error(`there is no part ${unknown.join(', ')}; give some of ${Object.keys(PARTS).join(', ')}`)
    const rows: Row[] = []
    for (const name of context.words.length > 0 ? context.words : Object.keys(PARTS)) {
      context.progress(`${name}: starting PostgreSQL`)
      await using server = await startPostgres({ fsync: true, settings: { max_wal_size: '4GB', autovacuum: 'off' } })
      // Reads are measured with a core for the database and one for the reader.
      if (name === 'reads') pinTo(server.pid, 0)
      rows.push(...(await PARTS[name]!(context, server.url)))
    }
    context.note(NOTE)
    return rows
  },
}

const NOTE =
  'Times from a write to its eviction are between processes, on the one monotonic clock of the machine, fsync on. Reads: contenders\n' +
  'take turns, a process and core each, on one row by its key; a loop of hits has nothing else going on. `getOrSet` is the\n' +
  'cache itself, `pool` the unchanged SQL through cachePool. A read is stale if a later version of its row had been acknowledged\n' +
  'before the read began.'
