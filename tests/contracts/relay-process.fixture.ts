/** A process of relay.test.ts: `tsx relay-process.fixture.ts <database> <redis> <channel>`. Says its role once it is whole, and whenever that changes. */
import { postgresFeed } from 'millpond/postgres'
import { valkeyBus } from 'millpond/valkey'

const [connectionString, redis, channel] = process.argv.slice(2) as [string, string, string]
const bus = valkeyBus(redis, { channel })
await bus.ready()
const feed = postgresFeed({ connectionString, tables: ['rows'], relay: { bus } })
await feed.ready()
let said: string | undefined
const say = (): void => {
  const { role, state } = feed.status()
  if (state !== 'live' || role === said) return
  said = role
  console.log(role)
}
say()
setInterval(say, 10)
// The parent is gone: nobody needs this process.
process.stdin.on('end', () => process.exit(0)).resume()
