/** The load: redis-benchmark on a core of its own, and what it says of a run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { LOAD_CORE } from './servers.ts'

/** One run of redis-benchmark. */
export interface Load {
  readonly command: 'set' | 'get' | 'incr' | 'hset' | 'lpush' | 'sadd' | 'zadd'
  /** Bytes of a value. */
  readonly bytes: number
  /** Commands in flight on each of 50 connections. */
  readonly pipeline: number
  readonly requests: number
  /** Whether the load speaks TLS. Default false. */
  readonly tls?: boolean
  /** Threads of the load, on any core. Default: one, on the load's own. */
  readonly threads?: number
  /** As whom. Default: as nobody. */
  readonly user?: { readonly name: string; readonly password: string }
}

/** What came of it. A type, not an interface: it is a record of figures. */
export type Measured = {
  /** Commands a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p99: number
  readonly p999: number
}

const KEYS = 100_000

/** Runs a load against a port of loopback. */
export async function run(port: number, load: Load): Promise<Measured> {
  const { command, bytes, pipeline, requests, tls = false, threads, user } = load
  const numbers = ['-p', port, '-t', command, '-d', bytes, '-P', pipeline, '-n', requests, '-r', KEYS, '-c', 50]
  const encrypted = tls ? ['--tls', '--insecure'] : []
  const named = user ? ['--user', user.name, '-a', user.password] : []
  const words = [...numbers.map(String), ...encrypted, ...named]
  const child =
    threads === undefined
      ? spawn('taskset', ['-c', `${LOAD_CORE}`, 'redis-benchmark', ...words])
      : spawn('redis-benchmark', [...words, '--threads', `${threads}`])
  let said = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number]
  const rate = Number(/throughput summary: ([\d.]+)/.exec(said)?.[1])
  if (code !== 0 || !(rate > 0)) throw new Error(`redis-benchmark ended with ${code}:\n${said.slice(-2000)}`)
  return { rate, p99: percentile(said, 99), p999: percentile(said, 99.9) }
}

/** The first bound that so many of 100 commands kept. */
function percentile(said: string, share: number): number {
  const steps = [...said.matchAll(/([\d.]+)% <= ([\d.]+) milliseconds \(cumulative count/g)]
  const step = steps.find(([, reached]) => Number(reached) >= share) ?? steps.at(-1)
  return Number(step?.[2] ?? Number.NaN)
}

/** Stores `count` values under keys of their own, in batches. */
export async function fill(port: number, count: number, bytes: number): Promise<void> {
  const value = `$${bytes}\r\n${'x'.repeat(bytes)}\r\n`
  const batch = Math.max(1, Math.floor((1024 * 1024) / (bytes + 40)))
  await exchange(port, function* () {
    for (let first = 0; first < count; first += batch) {
      const size = Math.min(batch, count - first)
      const keys = Array.from({ length: size }, (_, at) => `key:${String(first + at).padStart(12, '0')}`)
      yield {
        text: keys.map((key) => `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n${value}`).join(''),
        answers: size,
      }
    }
  })
}

/** Stores values of mixed sizes under mixed keys for a time: most are new, some are larger than before. */
export async function churn(port: number, ms: number, sizeOf: () => number, keyOf: () => number): Promise<void> {
  const endsAtMs = performance.now() + ms
  await exchange(port, function* () {
    while (performance.now() < endsAtMs) {
      let text = ''
      for (let at = 0; at < 64; at++) {
        const size = sizeOf()
        const key = `churn:${keyOf()}`
        text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${size}\r\n${'y'.repeat(size)}\r\n`
      }
      yield { text, answers: 64 }
    }
  })
}

interface Batch {
  readonly text: string
  /** One line each. */
  readonly answers: number
}

/** Sends batch after batch, each when the one before is answered. */
async function exchange(port: number, batches: () => Iterable<Batch>): Promise<void> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  let lines = 0
  let wake: (() => void) | undefined
  socket.on('data', (bytes: Buffer) => {
    for (const byte of bytes) if (byte === 10) lines++
    wake?.()
  })
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => {})
  for (const { text, answers } of batches()) {
    lines = 0
    socket.write(text, 'latin1')
    while (lines < answers) {
      await Promise.race([
        failed,
        new Promise<void>((resolve) => {
          wake = resolve
        }),
      ])
    }
  }
  socket.destroy()
}
