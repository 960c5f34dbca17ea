/** How a request in Upstash's shape wants its answer: as JSON, with texts in base64 or not, or as RESP2. */
import type { IncomingMessage } from 'node:http'
import { ReplyWriter } from '../resp/reply-writer.ts'
import { resultOf, type TextCoding } from './json.ts'
import { Problem } from './problem.ts'
import { Failure, OK, Pairs, type Value } from './value-reply.ts'

export const JSON_TYPE = 'application/json'
const RESP_TYPE = 'application/octet-stream'
const PIECE_BYTES = 1024

export interface Format {
  readonly type: string
  /** One answer. */
  one(value: Value): Buffer
  /** Those of several commands. */
  many(values: readonly Value[]): Buffer
}

/** @throws Problem the request wants what there is not */
export function formatOf({ headers }: IncomingMessage): Format {
  const format = headers['upstash-response-format'] ?? 'json'
  const coding = headers['upstash-encoding']
  if (format === 'json') return coding === 'base64' ? BASE64 : UTF8
  if (format !== 'resp2') throw new Problem('ERR', 'Upstash-Response-Format is json or resp2')
  if (coding === 'base64') throw new Problem('ERR', 'answers in RESP2 are never in base64')
  return RESP
}

function json(coding: TextCoding): Format {
  return {
    type: JSON_TYPE,
    one: (value) => Buffer.from(resultOf(value, coding)),
    many: (values) => Buffer.from(`[${values.map((value) => resultOf(value, coding)).join(',')}]`),
  }
}

export const UTF8: Format = json('utf8')
export const BASE64: Format = json('base64')
const RESP: Format = { type: RESP_TYPE, one: (value) => respOf([value]), many: respOf }

function respOf(values: readonly Value[]): Buffer {
  const writer = new ReplyWriter(PIECE_BYTES)
  for (const value of values) write(writer, value)
  return Buffer.concat(writer.take())
}

function write(writer: ReplyWriter, value: Value): void {
  if (typeof value === 'string') writer.bulk(value)
  else if (value === null) writer.nil()
  else if (value === OK) writer.ok()
  else if (typeof value === 'boolean') writer.boolean(value)
  else if (value instanceof Failure) writer.error(value.text)
  else if (value instanceof Pairs) write(writer, value.parts)
  else if (typeof value === 'object') {
    writer.array(value.length)
    for (const part of value) write(writer, part)
  } else writer.integer(value)
}
