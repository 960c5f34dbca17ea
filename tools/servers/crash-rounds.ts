/** Kills a server under load over and over, and asks it after each start what it still knows. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MillpondServer, startMillpond } from './millpond.ts'
import { until } from './until.ts'

export interface CrashOptions {
  readonly rounds: number
  readonly durability: 'always' | 'everysec'
  /** From 0 to below 1: seeded, so that a run can be made again. */
  readonly random: () => number
  readonly progress?: (round: number) => void
}

/** What came of it. */
export interface CrashReport {
  /** Commands that were acknowledged, in all rounds. */
  readonly acknowledged: number
  /** Of those that had to be there, how many were not. With 'everysec' the last second of what was acknowledged need not be. */
  readonly lost: number
  /** Transactions of which one half was there. */
  readonly torn: number
  /** Values that nobody had sent. */
  readonly invented: number
}

const CLIENTS = 8
const BATCH_MAX = 16
const ROUNDS_A_LOG = 8
const REWRITE_MS = 120_000
const MAY_BE_LOST_MS = { always: 0, everysec: 1000 } as const

/** Runs rounds of load and kill. Every third round a rewrite of the log is under way. */
export async function crashRounds({ rounds, durability, random, progress }: CrashOptions): Promise<CrashReport> {
  const server = await startMillpond(['--append', durability, '--memory', '64mb'])
  const report = { acknowledged: 0, lost: 0, torn: 0, invented: 0 }
  try {
    const counters = Array.from({ length: CLIENTS }, (_, at) => new Counter(at))
    for (let round = 0; round < rounds; round++) {
      progress?.(round)
      await loadAndKill(server, counters, round, durability, random)
      const lastAtMs = Math.max(...counters.map((counter) => counter.lastAtMs))
      await server.restart()
      for (const counter of counters) await counter.judge(server, lastAtMs - MAY_BE_LOST_MS[durability], report)
      // Rewrites that are under way when it is killed come to nothing: now and then one must end, or the log grows for ever.
      if (round % ROUNDS_A_LOG === ROUNDS_A_LOG - 1) await rewriteLog(server)
    }
    return report
  } finally {
    await server.destroy()
  }
}

async function rewriteLog(server: MillpondServer): Promise<void> {
  await server.command('BGREWRITEAOF').catch(() => {})
  await until(
    'the log is rewritten',
    async () => {
      return /aof_rewrite_in_progress:0/.test(String(await server.command('INFO', 'persistence')))
    },
    REWRITE_MS,
  )
}

async function loadAndKill(
  server: MillpondServer,
  counters: readonly Counter[],
  round: number,
  durability: 'always' | 'everysec',
  random: () => number,
): Promise<void> {
  for (const counter of counters) counter.start(server.port, random)
  if (round % 3 === 0) server.command('BGREWRITEAOF').catch(() => {})
  await sleep(durability === 'always' ? 30 + random() * 400 : 1200 + random() * 600)
  await server.kill9()
  for (const counter of counters) counter.stop()
}

/** One client, which counts up: by INCR, and by a transaction that sets two keys to the same. */
class Counter {
  readonly #at: number
  #socket: Socket | undefined
  /** The highest that were sent. */
  #sent = 0
  #sentPair = 0
  /** Lines of answers that are still to come, and what each stands for. */
  #expected: { readonly lines: number; readonly pair: boolean; readonly value: number }[] = []
  #lines = 0
  /** What was acknowledged, and when; the last entry is the highest. */
  #acknowledged: { readonly atMs: number; readonly pair: boolean; readonly value: number }[] = []
  #count = 0

  constructor(at: number) {
    this.#at = at
  }

  start(port: number, random: () => number): void {
    this.#expected = []
    this.#lines = 0
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('connect', () => this.#send(random))
    socket.on('data', (bytes: Buffer) => {
      for (const byte of bytes) if (byte === 10) this.#line()
      if (this.#expected.length === 0) this.#send(random)
    })
  }

  stop(): void {
    this.#socket?.destroy()
  }

  /** When something was acknowledged for the last time. */
  get lastAtMs(): number {
    return this.#acknowledged.at(-1)?.atMs ?? 0
  }

  /** Compares what the server has with what it has acknowledged, and goes on from there. */
  async judge(
    server: MillpondServer,
    beforeMs: number,
    report: { -readonly [Key in keyof CrashReport]: number },
  ): Promise<void> {
    const due = (pair: boolean): number =>
      Math.max(
        0,
        ...this.#acknowledged.filter((ack) => ack.pair === pair && ack.atMs <= beforeMs).map(({ value }) => value),
      )
    const numbers = await Promise.all(
      ['n', 'a', 'b'].map(async (name) => Number((await server.command('GET', `${name}:${this.#at}`)) ?? 0)),
    )
    const [single, one, other] = numbers as [number, number, number]
    report.acknowledged += this.#count
    report.lost += Math.max(0, due(false) - single) + Math.max(0, due(true) - one)
    if (one !== other) report.torn++
    if (single > this.#sent || one > this.#sentPair) report.invented++
    this.#sent = single
    this.#sentPair = one
    this.#count = 0
    this.#acknowledged = [
      { atMs: 0, pair: false, value: single },
      { atMs: 0, pair: true, value: one },
    ]
  }

  #send(random: () => number): void {
    let text = ''
    for (let left = 1 + Math.floor(random() * BATCH_MAX); left > 0; left--) {
      if (random() < 0.7) {
        text += `INCR n:${this.#at}\r\n`
        this.#expected.push({ lines: 1, pair: false, value: ++this.#sent })
      } else {
        const value = ++this.#sentPair
        text += `MULTI\r\nSET a:${this.#at} ${value}\r\nSET b:${this.#at} ${value}\r\nEXEC\r\n`
        this.#expected.push({ lines: 6, pair: true, value })
      }
    }
    this.#socket!.write(text)
  }

  #line(): void {
    const first = this.#expected[0]
    if (first === undefined || ++this.#lines < first.lines) return
    this.#lines = 0
    this.#expected.shift()
    this.#count++
    this.#acknowledged.push({ atMs: performance.now(), pair: first.pair, value: first.value })
  }
}
