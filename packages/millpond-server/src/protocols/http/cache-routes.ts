/** `/cache/{cache}?key=…`: values by key, in the shape of Momento's HTTP API. */
import type { HttpClient } from './client.ts'
import type { Exchange } from './exchange.ts'
import { Problem } from './problem.ts'
import { decodePart } from './url-parts.ts'
import { Failure, type Value } from './value-reply.ts'

/** Answers are of one moment: nobody on the way keeps them. */
const NO_STORE = ['Cache-Control', 'no-store']
const BEGINNING = '/cache/'
const BYTES = 'application/octet-stream'
const TTL_SECONDS_MAX = 2 ** 53 / 1000

/** GET and HEAD a value, PUT or POST one, DELETE it. */
export function serveCache(exchange: Exchange): void {
  const { path } = exchange.target
  if (path.includes('/', BEGINNING.length)) throw new Problem('NOTFOUND', 'a value is at /cache/{cache}?key={key}')
  const client = exchange.authenticate(decodePart(path.slice(BEGINNING.length)))
  const key = keyOf(exchange)
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      client.run(['GET', key], (value) => sendValue(exchange, value))
      return
    case 'PUT':
    case 'POST':
      put(exchange, client, key)
      return
    case 'DELETE':
      client.run(['DEL', key], (value) => sendDone(exchange, value))
      return
    default:
      throw new Problem('METHOD', 'values are for GET, HEAD, PUT, POST and DELETE')
  }
}

function put(exchange: Exchange, client: HttpClient, key: string): void {
  const ttl = exchange.target.parameter('ttl_seconds')
  const life = ttl === undefined ? [] : ['PX', String(millisecondsOf(ttl))]
  exchange.readBody((body) => client.run(['SET', key, body, ...life], (value) => sendDone(exchange, value)))
}

function keyOf({ target }: Exchange): string {
  const key = target.parameter('key')
  const base64 = target.mentions('key_base64') ? target.parameter('key_base64') : undefined
  if (key !== undefined && base64 !== undefined) throw new Problem('INVALID', 'give key or key_base64, not both')
  if (key !== undefined) return key
  if (base64 === undefined) throw new Problem('INVALID', 'give the key as key or, in base64, as key_base64')
  if (!/^[\w+/-]*={0,2}$/.test(base64)) throw new Problem('INVALID', 'key_base64 is not base64')
  return Buffer.from(base64, 'base64').toString('latin1')
}

function millisecondsOf(ttl: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(ttl) ? Number(ttl) : 0
  if (seconds <= 0 || seconds > TTL_SECONDS_MAX) throw new Problem('INVALID', 'ttl_seconds is a number above 0')
  return Math.ceil(seconds * 1000)
}

function sendValue(exchange: Exchange, value: Value): void {
  if (typeof value === 'string') exchange.send(200, BYTES, value, NO_STORE)
  else if (value instanceof Failure) exchange.fail(Problem.of(value))
  else exchange.fail(new Problem('NOTFOUND', 'there is no such key'))
}

function sendDone(exchange: Exchange, value: Value): void {
  if (value instanceof Failure) exchange.fail(Problem.of(value))
  else exchange.sendStatus(204)
}
