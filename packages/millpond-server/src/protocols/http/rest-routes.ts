/** Every command by HTTP, in the shape of Upstash's REST API. */

import type { HttpClient } from './client.ts'
import { streamEvents } from './event-stream.ts'
import type { Description, Exchange } from './exchange.ts'
import { resultOf } from './json.ts'
import { Problem } from './problem.ts'
import { type Format, formatOf, JSON_TYPE } from './rest-format.ts'
import { commandsOfJson, parseJson, type Words, wordsOfJson, wordsOfPath } from './rest-words.ts'
import { Failure, type Value } from './value-reply.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT'])
/** Commands whose answer has no end. */
const STREAMS = new Set(['subscribe', 'psubscribe', 'monitor'])
/** After so many commands of one request others are served. */
const COMMANDS_AT_ONCE = 256

type Done = (values: readonly Value[]) => void

/** `/set/key/value`, `["SET","key","value"]`, several at `/pipeline`, a transaction at `/multi-exec`. */
export function serveRest(exchange: Exchange): void {
  const { method, target, request } = exchange
  exchange.describe = describe
  if (!METHODS.has(method)) throw new Problem('METHOD', 'commands are for GET, HEAD, POST and PUT')
  const format = formatOf(request)
  const client = exchange.authenticate()
  const [first] = target.segments
  if (first !== undefined && STREAMS.has(first.toLowerCase())) {
    streamEvents(exchange, client, wordsOfPath(target, undefined))
    return
  }
  if (method === 'GET' || method === 'HEAD') {
    if (first === undefined) throw new Problem('ERR', 'give a command: /get/key, or POST ["GET","key"]')
    runOne(exchange, client, wordsOfPath(target, undefined), format)
    return
  }
  exchange.readBody((body) => {
    if (first === undefined) runOne(exchange, client, wordsOfJson(parseJson(body)), format)
    else if (first === 'pipeline') runPipeline(exchange, client, commandsOfJson(parseJson(body)), format)
    else if (first === 'multi-exec') runTransaction(exchange, client, commandsOfJson(parseJson(body)), format)
    else runOne(exchange, client, wordsOfPath(target, body), format)
  })
}

/** An error as these clients know it. */
function describe({ code, message }: Problem): Description {
  return { type: JSON_TYPE, text: resultOf(new Failure(`${code} ${message}`), 'utf8') }
}

function runOne(exchange: Exchange, client: HttpClient, words: Words, format: Format): void {
  client.run(words, (value) => exchange.attempt(() => send(exchange, value, format)))
}

function send(exchange: Exchange, value: Value, format: Format): void {
  if (!(value instanceof Failure)) {
    exchange.send(200, format.type, format.one(value))
    return
  }
  // A command that fails is a wrong request to these clients, whatever the reason.
  const { status, retryAfter } = Problem.of(value)
  const own = status === 401 || status === 429 || status === 500
  const headers = status === 429 ? ['Retry-After', String(retryAfter)] : []
  exchange.send(own ? status : 400, format.type, format.one(value), headers)
}

/** Each command when the one before has been answered; others may come between. */
function runPipeline(exchange: Exchange, client: HttpClient, commands: readonly Words[], format: Format): void {
  runAll(exchange, client, commands, (values) => exchange.send(200, format.type, format.many(values)))
}

function runAll(exchange: Exchange, client: HttpClient, commands: readonly Words[], done: Done): void {
  const values: Value[] = []
  let waits = false
  const take = (value: Value): void => {
    values.push(value)
    if (waits) runSome()
  }
  const runSome = (): void => {
    const end = Math.min(commands.length, values.length + COMMANDS_AT_ONCE)
    for (let at = values.length; at < end; at++) {
      waits = false
      client.run(commands[at]!, take)
      waits = values.length === at
      if (waits) return
    }
    if (end === commands.length) exchange.attempt(() => done(values))
    else setImmediate(() => exchange.response.destroyed || runSome())
  }
  runSome()
}

/** All of them, with nothing in between, or none. */
function runTransaction(exchange: Exchange, client: HttpClient, commands: readonly Words[], format: Format): void {
  if (format.type !== JSON_TYPE) throw new Problem('ERR', 'answers of /multi-exec are JSON')
  runAll(exchange, client, [['MULTI'], ...commands, ['EXEC']], (answers) => {
    const executed = answers.at(-1)!
    const refused = answers.slice(1, -1).find((one) => one instanceof Failure)
    const answer = refused ? new Failure(`EXECABORT Transaction discarded because of: ${refused.text}`) : executed
    // Of a client that wants no answers there is none.
    if (answer instanceof Failure || answer === null) send(exchange, answer, format)
    else exchange.send(200, format.type, format.many(answer as readonly Value[]))
  })
}
