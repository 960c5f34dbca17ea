/** The suite `store-fuzz`: seeded schedules of several processes over a shared tier, judged by a history checker. */
import type { Store } from 'millpond'
import { memcachedStore } from 'millpond/memcached'
import { valkeyStore } from 'millpond/valkey'
import { simulate } from '../../../tests/simulation/simulation.ts'
import { startMemcached } from '../../../tools/servers/memcached.ts'
import { startRedis } from '../../../tools/servers/redis.ts'
import { exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'

/** The stores that are played over: in memory, and on real servers. */
const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  memory: async () => ({ end: async () => {} }),
  redis: async () => {
    const server = await startRedis()
    return served(
      () => valkeyStore(server.url),
      () => server.destroy(),
    )
  },
  memcached: async () => {
    const server = await startMemcached()
    return served(
      () => memcachedStore(server.address, { stallTimeout: '1m' }),
      () => server.destroy(),
    )
  },
}

interface Place {
  /** One store for each of the processes; none: the store in memory. */
  readonly served?: readonly Store[]
  end(): Promise<unknown>
}

export const suite: Suite = {
  name: 'store-fuzz',
  summary: 'seeded schedules of processes, delays and losses over a shared tier: how many read what is stale',
  options: {
    schedules: { type: 'string', summary: 'N: how many on each store; default 10,000' },
    seed: { type: 'string', summary: 'N: the first seed; one that failed is replayed by --seed N --schedules 1' },
  },
  async run(context) {
    const names = context.words.length > 0 ? context.words : Object.keys(PLACES)
    const rows: Row[] = []
    for (const name of names) rows.push(...(await played(name, context)))
    context.note(
      'Over a real server a seed fixes the order of calls, answers, messages and loads, not the time of the server.',
    )
    return rows
  },
}

async function played(name: string, context: SuiteContext): Promise<Row[]> {
  const open = PLACES[name]
  if (!open) throw new Error(`there is no store ${name}; give some of ${Object.keys(PLACES).join(', ')}`)
  const count = Number(context.options.schedules ?? (context.quick ? 300 : 10_000))
  const first = Number(context.options.seed ?? 1)
  const place = await open()
  const failures: string[] = []
  try {
    for (let seed = first; seed < first + count; seed++) {
      if ((seed - first) % 500 === 0) context.progress(`${name}: seed ${seed}`)
      await simulate(seed, place.served ? { served: place.served } : {}).catch((error: unknown) => {
        failures.push(`seed ${seed}: ${(error as Error).message.split('\n')[0]}`)
      })
    }
  } finally {
    await place.end()
  }
  for (const failure of failures.slice(0, 10)) context.note(`${name}, ${failure}`)
  return [
    row(
      `${name}: schedules with a stale read, of ${count.toLocaleString('en')}`,
      failures.length,
      'schedules',
      exactly(0),
    ),
  ]
}

async function served(open: () => Store, end: () => Promise<unknown>): Promise<Place> {
  const stores = [open(), open(), open()]
  for (const store of stores) await store.read(['first'], ['first'])
  return {
    served: stores,
    async end() {
      for (const store of stores) await store.close()
      await end()
    },
  }
}
