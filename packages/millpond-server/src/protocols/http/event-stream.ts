/** Answers without an end, as server-sent events: SUBSCRIBE, PSUBSCRIBE and MONITOR in Upstash's shape. */
import type { HttpClient } from './client.ts'
import type { Exchange } from './exchange.ts'
import { jsonOf, utf8Of } from './json.ts'
import { Problem } from './problem.ts'
import type { Words } from './rest-words.ts'
import { Failure, type Value, ValueReply } from './value-reply.ts'

/** So often something is sent, so that nobody on the way thinks the connection dead. */
const COMMENT_EVERY_MS = 15_000
const HEADERS = ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache', 'X-Accel-Buffering', 'no']

/** Runs a command whose answers go on until the peer, or the server, ends the connection. */
export function streamEvents(exchange: Exchange, client: HttpClient, words: Words): void {
  const { response } = exchange
  const events = new ValueReply((value) => {
    if (!response.headersSent && value instanceof Failure) exchange.fail(Problem.of(value))
    else if (!response.destroyed && !response.writableEnded) {
      if (!response.headersSent) response.writeHead(200, HEADERS)
      response.write(eventOf(value))
    }
  })
  client.endEvents = () => void response.end()
  client.stream(words, events)
  if (!response.headersSent) return
  const comments = setInterval(() => response.write(': \n\n'), COMMENT_EVERY_MS).unref()
  response.on('error', () => {})
  response.once('close', () => {
    clearInterval(comments)
    exchange.over()
  })
}

/** `data: message,news,hello`, and each line of a text by itself. */
function eventOf(value: Value): string {
  const text = Array.isArray(value) ? value.map(wordOf).join(',') : wordOf(value)
  const lines = text.split(/\r\n|\r|\n/)
  return `${lines.map((line) => `data: ${line}\n`).join('')}\n`
}

function wordOf(value: Value): string {
  if (typeof value === 'string') return utf8Of(value)
  return value instanceof Failure ? value.text : jsonOf(value, 'utf8')
}
