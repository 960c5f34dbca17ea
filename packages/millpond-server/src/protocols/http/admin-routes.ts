/** `/admin/…` and `/metrics`: caches, tokens and what is going on, for admins. */
import { describeCache } from '../../commands/caches/description.ts'
import { administered } from '../../commands/tokens/admin.ts'
import { cacheOptions, tokenOptions } from './admin-options.ts'
import type { HttpClient } from './client.ts'
import type { Exchange } from './exchange.ts'
import { plainOf } from './json.ts'
import { Problem } from './problem.ts'
import { parseJson, type Words } from './rest-words.ts'
import { Failure, type Value } from './value-reply.ts'

const JSON_TYPE = 'application/json'

type Serve = (exchange: Exchange, client: HttpClient, names: readonly string[]) => void

/** By method and path; `*` is a name. */
export const ROUTES: readonly (readonly [method: string, path: readonly string[], serve: Serve])[] = [
  ['GET', ['caches'], listCaches],
  ['POST', ['caches'], createCache],
  [
    'GET',
    ['caches', '*'],
    (exchange, client, [name]) => send(exchange, 200, describeCache(administered(client), name!)),
  ],
  ['PATCH', ['caches', '*'], updateCache],
  ['DELETE', ['caches', '*'], (exchange, client, [name]) => act(exchange, client, ['CACHE', 'DELETE', name!])],
  ['POST', ['caches', '*', 'flush'], (exchange, client, [name]) => act(exchange, client, ['CACHE', 'FLUSH', name!])],
  ['POST', ['caches', '*', 'accesskeys', '*'], makeAccessKey],
  ['GET', ['tokens'], (exchange, client) => ask(exchange, client, 200, ['TOKEN', 'LIST'])],
  ['POST', ['tokens'], createToken],
  ['DELETE', ['tokens', '*'], (exchange, client, [name]) => act(exchange, client, ['TOKEN', 'REVOKE', name!])],
  ['POST', ['keys', 'rotate'], (exchange, client) => act(exchange, client, ['TOKEN', 'ROTATE'])],
  ['POST', ['keys', 'retire'], (exchange, client) => act(exchange, client, ['TOKEN', 'RETIRE'])],
  ['GET', ['slowlog'], slowLog],
]

export function serveAdmin(exchange: Exchange): void {
  const client = exchange.authenticate()
  const [, ...given] = exchange.target.segments
  const fitting = ROUTES.filter(([, path]) => fits(path, given))
  if (fitting.length === 0) throw new Problem('NOTFOUND', 'there is nothing here; see docs/http.md')
  const route = fitting.find(([method]) => method === exchange.method)
  if (route === undefined) throw new Problem('METHOD', `this is for ${fitting.map(([method]) => method).join(', ')}`)
  administered(client)
  const [, path, serve] = route
  serve(
    exchange,
    client,
    given.filter((_, at) => path[at] === '*'),
  )
}

/** What Prometheus reads. */
export function serveMetrics(exchange: Exchange): void {
  const { method, target } = exchange
  if (target.path !== '/metrics') throw new Problem('NOTFOUND', 'there is nothing here; metrics are at /metrics')
  if (method !== 'GET') throw new Problem('METHOD', '/metrics is for GET')
  administered(exchange.authenticate())
  exchange.listening.metrics
    .page()
    .then(({ type, text }) => exchange.send(200, type, Buffer.from(text)))
    .catch((error: unknown) => exchange.fail(error))
}

function fits(path: readonly string[], given: readonly string[]): boolean {
  return path.length === given.length && path.every((part, at) => part === '*' || part === given[at])
}

function listCaches(exchange: Exchange, client: HttpClient): void {
  const host = administered(client)
  send(
    exchange,
    200,
    [...host.services.keys()].sort().map((name) => describeCache(host, name)),
  )
}

function createCache(exchange: Exchange, client: HttpClient): void {
  readObject(exchange, ({ name, ...settings }) => {
    const named = nameOf(name)
    client.run(['CACHE', 'CREATE', named, ...cacheOptions(settings)], (value) =>
      answer(exchange, value, () => send(exchange, 201, describeCache(administered(client), named))),
    )
  })
}

function updateCache(exchange: Exchange, client: HttpClient, [name]: readonly string[]): void {
  readObject(exchange, (settings) =>
    client.run(['CACHE', 'UPDATE', name!, ...cacheOptions(settings)], (value) =>
      answer(exchange, value, () => send(exchange, 200, describeCache(administered(client), name!))),
    ),
  )
}

function makeAccessKey(exchange: Exchange, client: HttpClient, [name, key]: readonly string[]): void {
  client.run(['CACHE', 'ACCESSKEY', name!, key!], (value) =>
    answer(exchange, value, (secret) => send(exchange, 201, { cache: name, key, secret })),
  )
}

function createToken(exchange: Exchange, client: HttpClient): void {
  readObject(exchange, ({ name, ...options }) =>
    ask(exchange, client, 201, ['TOKEN', 'CREATE', nameOf(name), ...tokenOptions(options)]),
  )
}

/** Of the cache that a parameter names, by itself the default one. */
function slowLog(exchange: Exchange, client: HttpClient): void {
  const { slowLog: log } = administered(client).service(exchange.target.parameter('cache') ?? 'default')
  send(
    exchange,
    200,
    log.commands.map(({ id, atSeconds, microseconds, words, address, clientName }) => ({
      id,
      at: new Date(atSeconds * 1000).toISOString(),
      microseconds,
      words: words.map((word) => Buffer.from(word, 'latin1').toString()),
      address,
      client_name: clientName,
    })),
  )
}

/** Runs a command, and answers with what it answers. */
function ask(exchange: Exchange, client: HttpClient, status: number, words: Words): void {
  client.run(words, (value) => answer(exchange, value, (plain) => send(exchange, status, plain)))
}

/** Runs a command whose answer says nothing more. */
function act(exchange: Exchange, client: HttpClient, words: Words): void {
  client.run(words, (value) => answer(exchange, value, () => exchange.sendStatus(204)))
}

function answer(exchange: Exchange, value: Value, done: (plain: unknown) => void): void {
  exchange.attempt(() => {
    if (value instanceof Failure) throw Problem.of(value)
    done(plainOf(value))
  })
}

function send(exchange: Exchange, status: number, body: unknown): void {
  exchange.send(status, JSON_TYPE, Buffer.from(JSON.stringify(body)), ['Cache-Control', 'no-store'])
}

function readObject(exchange: Exchange, done: (given: Readonly<Record<string, unknown>>) => void): void {
  exchange.readBody((body) => {
    const given = parseJson(body)
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw new Problem('INVALID', 'what is sent is a JSON object')
    }
    done(given as Record<string, unknown>)
  })
}

function nameOf(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new Problem('INVALID', 'name is missing')
}
