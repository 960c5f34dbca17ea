/** What admins send as JSON, as the options of our commands. */
import { Problem } from './problem.ts'

/** How a value is written in a command. `null` is no bound. */
type Write = (value: unknown, name: string) => readonly string[]

const amount =
  (word: string): Write =>
  (value, name) => {
    if (value === null) return [word, '0']
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return [word, String(value)]
    throw new Problem('INVALID', `${name} is a whole number, or null for no bound`)
  }

/** Milliseconds here are seconds there. */
const time =
  (word: string): Write =>
  (value, name) =>
    amount(word)(typeof value === 'number' ? value / 1000 : value, `${name}, in seconds,`)

const text =
  (word: string): Write =>
  (value, name) => {
    if (typeof value === 'string') return [word, Buffer.from(value).toString('latin1')]
    throw new Problem('INVALID', `${name} is a text`)
  }

const flag =
  (word: string): Write =>
  (value, name) => {
    if (typeof value === 'boolean') return value ? [word] : []
    throw new Problem('INVALID', `${name} is true or false`)
  }

/** As `describeCache` tells them. */
const OF_CACHES: Readonly<Record<string, Write>> = {
  max_bytes: amount('MAXMEMORY'),
  policy: text('POLICY'),
  default_ttl_ms: time('DEFAULT-TTL'),
  max_ttl_ms: time('MAX-TTL'),
  item_bytes_max: amount('ITEM-SIZE'),
  operations: amount('OPERATIONS'),
  bytes_in: amount('BYTES-IN'),
  bytes_out: amount('BYTES-OUT'),
  connections_max: amount('CONNECTIONS'),
  append: text('APPEND'),
}

const OF_TOKENS: Readonly<Record<string, Write>> = {
  cache: text('CACHE'),
  scopes(value, name) {
    if (!Array.isArray(value)) throw new Problem('INVALID', `${name} is a list of texts`)
    return value.flatMap((scope) => text('SCOPE')(scope, `each of ${name}`))
  },
  admin: flag('ADMIN'),
  ttl_seconds: amount('EX'),
  disposable: flag('DISPOSABLE'),
  operations: amount('OPERATIONS'),
  endpoint: text('ENDPOINT'),
}

/** @throws Problem what is not known, or not of its kind */
export function cacheOptions(given: Readonly<Record<string, unknown>>): string[] {
  return optionsOf(given, OF_CACHES)
}

/** @throws Problem */
export function tokenOptions(given: Readonly<Record<string, unknown>>): string[] {
  return optionsOf(given, OF_TOKENS)
}

function optionsOf(given: Readonly<Record<string, unknown>>, known: Readonly<Record<string, Write>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const write = Object.hasOwn(known, name) ? known[name] : undefined
    if (write) return write(value, name)
    throw new Problem('INVALID', `'${name.slice(0, 64)}' is none of ${Object.keys(known).join(', ')}`)
  })
}
