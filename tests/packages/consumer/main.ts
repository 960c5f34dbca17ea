/** What a user writes against the main API, compiled as a project of their own would: see packages.test.ts. */
import { createCache, type Duration } from 'millpond'

interface User {
  readonly id: number
  readonly name: string
}

const ttl: Duration = '5m'
// @ts-expect-error: units are checked when the program is compiled
const wrong: Duration = '5 mins'

export const cache = createCache({
  name: 'shop',
  ttl,
  staleWhileRevalidate: '1h',
  memory: { maxEntries: 1000, maxWeight: '64mb' },
})

/** A hit has the same type as a miss. */
export async function user(id: number): Promise<User> {
  return await cache.getOrSet(`user:${id}`, (ctx) => ({ id, name: ctx.key }), { ttl: '1m', tags: [`user:${id}`] })
}

export const userByName = cache.wrap(async (name: string): Promise<User> => ({ id: 1, name }), { key: 'by-name', ttl })

export const users = cache.define<number, User>({
  name: 'user',
  load: async (id) => user(id),
  write: async (id, value) => {
    if (value.id !== id) throw new Error(`the user ${value.id} is not ${id}`)
  },
})

export async function story(): Promise<string[]> {
  const found: User | undefined = await users.get(17)
  const wrapped: User = await userByName('Ada')
  // @ts-expect-error: the wrapped function keeps its arguments
  await userByName(17)
  await cache.mutate({ keys: ['user:17'], tags: ['user'] }, async () => {})
  await cache.namespace('eu').set('greeting', 'bonjour')
  const stop = cache.on('hit', (event) => String(event.key))
  stop()
  await cache.close()
  return [found?.name ?? String(wrong), wrapped.name, String(cache.stats().hitRatio)]
}
