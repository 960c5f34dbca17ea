/** Throw-away Memcached servers on loopback: the real program of PATH, one or several of them. */
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { type ChildServer, startChild } from './child.ts'

/** Options of `startMemcached`. */
export interface MemcachedOptions {
  /** More arguments, such as `['-m', '8']`. They win over the launcher's own. */
  readonly args?: readonly string[]
  /** Asked of the user `millpond`, as the first command on each connection (`-Y`). */
  readonly password?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
}

/** A running server. */
export interface MemcachedServer extends ChildServer {
  /** `127.0.0.1:<port>`, as clients want it. */
  readonly address: string
  /** Sends one command of the text protocol on a connection of its own; returns its answer's lines. */
  command(line: string): Promise<string[]>
}

/** Starts a server; resolves once it answers. Throws with its own words when it cannot. */
export async function startMemcached(options: MemcachedOptions = {}): Promise<MemcachedServer> {
  const child = await startChild({
    name: 'memcached',
    command: 'memcached',
    args: (port, dir) => argsOf(port, dir, options),
    ready: processId,
    port: options.port,
  })
  return Object.assign(child, {
    address: `127.0.0.1:${child.port}`,
    command: (line: string) => exchange(child.port, login(options.password), line),
  })
}

/** Starts several at once, each as `startMemcached` does. */
export async function startMemcacheds(count: number, options: MemcachedOptions = {}): Promise<MemcachedServer[]> {
  return await Promise.all(Array.from({ length: count }, () => startMemcached(options)))
}

/** As root, Memcached wants to be told whom to become: here nobody else. Anybody else need not say. */
function argsOf(port: number, dir: string, { args = [], password }: MemcachedOptions): string[] {
  const all = ['-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-u', 'root', '-t', '2']
  if (password === undefined) return [...all, ...args]
  const file = path.join(dir, 'users')
  writeFileSync(file, `millpond:${password}\n`)
  return [...all, '-Y', file, ...args]
}

function login(password: string | undefined): string {
  const secret = `millpond ${password}`
  return password === undefined ? '' : `set login 0 0 ${Buffer.byteLength(secret)}\r\n${secret}\r\n`
}

/** The process id from `stats`; 0 where a password is asked first: the server serves, and is our child. */
async function processId(port: number): Promise<number | undefined> {
  try {
    const lines = await exchange(port, '', 'stats')
    return Number(lines.find((line) => line.startsWith('STAT pid '))?.split(' ')[2] ?? 0)
  } catch {
    return undefined
  }
}

const LAST_LINE =
  /^(END|OK|STORED|NOT_STORED|EXISTS|NOT_FOUND|DELETED|TOUCHED|VERSION .*|ERROR|\w+_ERROR .*|HD|EN|NS|MN|\d+)$/

function exchange(port: number, first: string, command: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port })
    let text = ''
    let greeting = first
    const finish = (lines: string[]) => {
      resolve(lines)
      socket.end()
    }
    socket.setTimeout(3000, () => socket.destroy(new Error(`no answer from port ${port}`)))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)))
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more
      const lines = text.split('\r\n').slice(0, -1)
      if (!text.endsWith('\r\n') || !LAST_LINE.test(lines.at(-1)!)) return
      if (greeting === '') return finish(lines)
      greeting = ''
      text = ''
      socket.write(`${command}\r\n`)
    })
    socket.write(first === '' ? `${command}\r\n` : first)
  })
}
