/** For tests of HTTP: a server on free ports, and requests to it. */
import net from 'node:net'
import { afterEach } from 'vitest'
import { ask, type RespReply } from '../../../../../tools/servers/resp.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../server.ts'

const running: RunningServer[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

/** What a test sees of an answer. */
export interface Seen {
  readonly status: number
  readonly headers: Headers
  /** A byte string. */
  readonly text: string
  /** The body as JSON; `undefined` if it is none. */
  readonly json: unknown
}

export interface HttpWorld {
  readonly server: RunningServer
  readonly port: number
  readonly url: string
  /** A request: `'GET /cache/default?key=a'`. */
  request(line: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<Seen>
  /** A command by RESP. */
  redis(...words: readonly (string | number)[]): Promise<RespReply>
}

const PASSWORD = 'the-admin-has-this-password'

/** Starts a server that ends with the test. `closed`: nobody gets in without a token; an admin has `admin` as headers. */
export async function startHttp(
  settings: readonly (readonly [string, string])[] = [],
  options: ServerOptions = {},
): Promise<HttpWorld> {
  const configuration = new Configuration()
  // No file is read or written where the tests happen to run.
  configuration.set([
    ['dbfilename', 'none.rdb'],
    ['save', ''],
  ])
  configuration.set(settings.map(([name, value]) => [name, value]))
  const ports = { port: 0, 'http-port': 0, 'memcached-port': 0 }
  const server = await startServer({ configuration, ports, capacity: 64 * 2 ** 20, ...options })
  running.push(server)
  const port = server.ports['http-port']
  const url = `http://127.0.0.1:${port}`
  const password = configuration.text('requirepass') || undefined
  return {
    server,
    port,
    url,
    redis: (...words) => ask({ port: server.port, password }, ...words),
    request: (line, body, headers = {}) => request(url, line, body, headers),
  }
}

async function request(
  url: string,
  line: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string>,
): Promise<Seen> {
  const [method = 'GET', target = '/'] = line.split(' ')
  const response = await fetch(`${url}${target}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  })
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: parse(Buffer.from(text, 'latin1').toString()),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where nobody gets in without saying who he is. */
export async function startClosed(): Promise<HttpWorld & { readonly admin: Record<string, string> }> {
  const world = await startHttp([['requirepass', PASSWORD]])
  return { ...world, admin: { Authorization: `Bearer ${PASSWORD}` } }
}

/** Sends bytes, and collects what comes until the server ends the connection, or `end` has come. */
export function exchangeBytes(port: number, bytes: string, end?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    let text = ''
    const done = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setEncoding('latin1').on('data', (more) => {
      text += String(more)
      if (end !== undefined && text.includes(end)) done()
    })
    socket.on('error', done)
    socket.on('close', done)
    socket.write(bytes, 'latin1')
  })
}
