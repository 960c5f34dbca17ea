/** `/topics/{cache}/{topic}`: messages with numbers, in the shape of Momento's HTTP API. */
import type { HttpClient } from './client.ts'
import type { Exchange } from './exchange.ts'
import { strictUtf8Of } from './json.ts'
import { Problem } from './problem.ts'
import { Failure, type Pairs, type Value } from './value-reply.ts'

/** How long a poll waits for a message; it may ask for less, or more up to the time that any command waits. */
const POLL_SECONDS = 25
const POLL_SECONDS_MAX = 60

/** POST publishes; GET waits for what comes from a number on. */
export function serveTopic(exchange: Exchange): void {
  const [, cache = '', topic, more] = exchange.target.segments
  if (topic === undefined || more !== undefined) throw new Problem('NOTFOUND', 'a topic is at /topics/{cache}/{topic}')
  const client = exchange.authenticate(cache)
  if (exchange.method === 'POST') publish(exchange, client, topic)
  else if (exchange.method === 'GET') poll(exchange, client, topic)
  else throw new Problem('METHOD', 'topics are for GET and POST')
}

function publish(exchange: Exchange, client: HttpClient, topic: string): void {
  exchange.readBody((body) =>
    client.run(['TOPIC', 'PUBLISH', topic, body], (value) => {
      if (value instanceof Failure) exchange.fail(Problem.of(value))
      else exchange.sendStatus(204)
    }),
  )
}

function poll(exchange: Exchange, client: HttpClient, topic: string): void {
  const { target } = exchange
  const page = wholeNumber(target.parameter('sequence_page'), 'sequence_page', Number.MAX_SAFE_INTEGER)
  const number = wholeNumber(target.parameter('sequence_number'), 'sequence_number', Number.MAX_SAFE_INTEGER)
  const given = target.parameter('timeout_seconds')
  const seconds = given === undefined ? POLL_SECONDS : wholeNumber(given, 'timeout_seconds', POLL_SECONDS_MAX)
  const wait = seconds === 0 ? [] : ['BLOCK', String(seconds * 1000)]
  client.run(['TOPIC', 'READ', topic, 'FROM', String(page), String(number), ...wait], (value) => {
    if (value instanceof Failure) exchange.fail(Problem.of(value))
    else exchange.send(200, 'application/json', Buffer.from(itemsOf(value)), ['Cache-Control', 'no-store'])
  })
}

function wholeNumber(text = '0', name: string, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= max)) throw new Problem('INVALID', `${name} is a whole number up to ${max}`)
  return value
}

type Messages = readonly (readonly [number: number, message: string])[]
type News = readonly [string, number, string, number, string, readonly [number, number] | null, string, Messages]

/** What TOPIC READ answers, as Momento tells it; and where to go on when nothing came. */
function itemsOf(value: Value): string {
  const [, page, , next, , gap, , messages] = (value as Pairs).parts as unknown as News
  const items: object[] = messages.map(([number, message]) => ({
    item: { topic_sequence_number: number, sequence_page: page, value: contentOf(message) },
  }))
  if (gap !== null) {
    const [last, first] = gap
    const missing = { last_topic_sequence: last, new_topic_sequence: first, new_sequence_page: page }
    items.unshift({ discontinuity: missing })
  }
  return JSON.stringify({ items, sequence_page: page, next_sequence_number: next })
}

/** A text, or what is none in base64. */
function contentOf(message: string): object {
  const text = strictUtf8Of(message)
  return text === undefined ? { binary: Buffer.from(message, 'latin1').toString('base64') } : { text }
}
