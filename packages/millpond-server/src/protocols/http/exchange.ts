/** One request and its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HOME, type Host } from '../../commands/host.ts'
import { CLIENT_MODE } from '../../commands/modes.ts'
import { ReplyError } from '../../engine/errors.ts'
import { WrongSecretError } from '../../security/guesses.ts'
import { refuseBrowsers } from './browser-guard.ts'
import type { HttpClient } from './client.ts'
import type { HttpConnection } from './connection.ts'
import { type Credentials, credentialsOf } from './credentials.ts'
import type { Metrics } from './metrics.ts'
import { Problem } from './problem.ts'
import { Target } from './url-parts.ts'
import { Failure } from './value-reply.ts'

const NOTHING = Buffer.alloc(0)
/** A body from this size on counts as memory of its client while it comes. */
const COUNTED_BYTES = 64 * 1024

/** A problem as a client is told of it. */
export interface Description {
  readonly type: string
  readonly text: string
}

/** What a request may know of its listener. */
export interface Served {
  readonly host: Host
  /** Whether no more connections are accepted. */
  readonly isEnding: boolean
  /** What Prometheus is told. */
  readonly metrics: Metrics
}

export class Exchange {
  /** How problems are told. */
  describe: (problem: Problem) => Description = ({ json }) => ({ type: 'application/problem+json', text: json })
  /** The listener through which it came. */
  readonly listening: Served
  readonly method: string
  readonly target: Target
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #connection: HttpConnection
  #client: HttpClient | undefined
  #bodyBytes = 0
  /** Whether its answer has waited for the log. */
  #isSafe = false

  constructor(listening: Served, connection: HttpConnection, request: IncomingMessage, response: ServerResponse) {
    this.listening = listening
    this.method = request.method!
    this.target = new Target(request.url!)
    this.request = request
    this.response = response
    this.#connection = connection
  }

  get host(): Host {
    return this.listening.host
  }

  /**
   * Who gives the commands of this request, authenticated.
   *
   * @param cache the one that the path names, by which the secret must open that
   * @throws Problem, ReplyError the request may not
   */
  authenticate(cache?: string): HttpClient {
    this.#client ??= this.#connection.take()
    const client = this.#client
    const given = credentialsOf(this.request, this.target)
    if (given === undefined) refuseBrowsers(this.request)
    client.become(cache === undefined ? given : this.#forCache(cache, given))
    if ((client.modes & CLIENT_MODE.UNAUTHENTICATED) !== 0) {
      throw client.lost ?? new Problem('NOAUTH', 'Authentication required.')
    }
    if (cache !== undefined && client.service !== this.host.services.get(cache)) throw this.#closed(cache)
    return client
  }

  /** Takes what was sent with the request, and refuses too much of it. `done` is not called when the peer goes away. */
  readBody(done: (body: Buffer) => void): void {
    const { request } = this
    const { bulkBytesMax, queryBytesMax } = this.host.home.settings
    const bytesMax = Math.min(bulkBytesMax, queryBytesMax)
    const tooLarge = new Problem('TOOLARGE', `a request has at most ${bytesMax} bytes`)
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge
    const parts: Buffer[] = []
    let length = 0
    request.on('data', (part: Buffer) => {
      length += part.length
      this.#bodyBytes = length
      if (length > COUNTED_BYTES) this.#client?.holds(Math.min(length, bytesMax))
      if (length <= bytesMax) parts.push(part)
      else if (!this.response.headersSent) this.fail(tooLarge)
    })
    request.on('end', () => {
      if (length > bytesMax) return
      const [first = NOTHING] = parts
      this.attempt(() => done(parts.length > 1 ? Buffer.concat(parts) : first))
    })
  }

  /** Does a part of the work: what it throws is answered. */
  attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Answers. `headers` are names and values in turn. Of a text each character is a byte. */
  send(status: number, type: string, body: string | Buffer, headers: readonly string[] = []): void {
    if (this.#mustWait) {
      this.#wait(() => this.send(status, type, body, headers))
      return
    }
    this.#writeHead(status, ['Content-Type', type, 'Content-Length', String(body.length), ...headers])
    this.#end(body)
  }

  /** Answers with a status alone. */
  sendStatus(status: number): void {
    if (this.#mustWait) {
      this.#wait(() => this.sendStatus(status))
      return
    }
    this.#writeHead(status, [])
    this.#end('')
  }

  /** Answers that the request was in vain; after wrong secrets later, so that nobody guesses many. */
  fail(error: unknown): void {
    if (error instanceof WrongSecretError && error.delayMs > 0) {
      setTimeout(() => this.#fail(error), error.delayMs).unref()
    } else this.#fail(error)
  }

  #fail(error: unknown): void {
    const { request, response } = this
    const problem = this.#problemOf(error)
    if (response.headersSent) {
      request.socket.destroy()
      return
    }
    const { type, text } = this.describe(problem)
    const body = Buffer.from(text)
    const headers = ['Content-Type', type, 'Content-Length', String(body.length)]
    if (problem.status === 401) headers.push('WWW-Authenticate', 'Bearer')
    if (problem.retryAfter !== undefined) headers.push('Retry-After', String(problem.retryAfter))
    // What is still to come of the request is not read.
    if (!request.complete && isLong(request)) headers.push('Connection', 'close')
    this.#writeHead(problem.status, headers)
    this.#end(body)
  }

  /** The request is over: what was held for it is let go. */
  over(): void {
    if (this.#client === undefined) return
    this.#connection.give(this.#client)
    this.#client = undefined
  }

  #forCache(cache: string, given: Credentials | undefined): Credentials | undefined {
    const { home, services } = this.host
    if (given !== undefined) return given.name === '' || given.name === HOME ? { ...given, name: cache } : given
    if (cache === HOME) return undefined
    if (!home.accessControl.mustAuthenticate && !services.has(cache)) throw noCache(cache)
    // Where nobody needs a token an empty one opens each cache.
    return { name: cache, secret: '' }
  }

  #closed(cache: string): Problem {
    return this.host.services.has(cache)
      ? new Problem('FORBIDDEN', `what was given does not open the cache '${cache}'`)
      : noCache(cache)
  }

  /** Whether an answer has to wait until what has changed is as safe as it was asked to be. */
  get #mustWait(): boolean {
    const log = this.#isSafe ? undefined : this.#client?.service.logs.log
    return log !== undefined && !log.settled
  }

  #wait(answer: () => void): void {
    this.#client!.service.logs.log!.whenSettled((fault) => {
      this.#isSafe = true
      if (fault) this.fail(fault)
      else answer()
    })
  }

  #writeHead(status: number, headers: string[]): void {
    if (this.response.destroyed) return
    if (this.#client?.closing) headers.push('Connection', 'close')
    this.response.writeHead(status, headers)
  }

  #end(body: string | Buffer): void {
    this.#client?.count(this.request.url!.length + this.#bodyBytes, body.length)
    if (!this.response.destroyed) this.response.end(body, 'latin1')
    this.over()
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error
    if (error instanceof ReplyError) return Problem.of(new Failure(`${error.code} ${error.message}`))
    this.host.home.onFault(error)
    return new Problem('ERR', 'internal error, which the server has written to its log', 500)
  }
}

function noCache(cache: string): Problem {
  return new Problem('NOTFOUND', `there is no cache '${cache.slice(0, 64)}'`)
}

/** More than this is not read only to be forgotten. */
const FORGOTTEN_BYTES_MAX = 64 * 1024

function isLong({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > FORGOTTEN_BYTES_MAX
}
