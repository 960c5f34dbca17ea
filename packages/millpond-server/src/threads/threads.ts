/** The threads of a server as the home thread has them: it starts them, serves the clients that they send, and ends them. */
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Host } from '../commands/host.ts'
import type { Service } from '../commands/service.ts'
import type { Port } from '../protocols/port.ts'
import { ReplyWriter } from '../protocols/resp/reply-writer.ts'
import { CAN_SHARE_PORTS, occupy } from './hand-over.ts'
import { HomeSharing } from './home-sharing.ts'
import { Neighbour } from './neighbour.ts'
import { tallyMemory } from './tally.ts'
import type { CacheRules, WorkerTask } from './task.ts'
import { HomeTurnstile, turnstileWords } from './turnstile.ts'

const PIECE_BYTES = 256 * 1024
const GATHER_EVERY_MS = 100
/** How long a worker may take to start, and to end in good order. */
const START_MS = 30_000
const END_MS = 10_000
/** Parameters of clients that home looks after, wherever their sockets are. */
const OF_HOME: ReadonlySet<string> = new Set(['timeout', 'maxmemory-clients'])

/** A thread of the server has ended by itself, or can not be started. */
export class ThreadError extends Error {
  constructor(number: number, cause: unknown) {
    const because = cause instanceof Error ? cause.message : String(cause)
    super(`thread ${number + 2} of the server has ended: ${because}; the server ends too, since its clients are gone`, {
      cause,
    })
  }
}

/**
 * Threads share the arena of the default cache: keys and strings. Each accepts connections and runs commands on strings for
 * them. Everything else is here, in the home thread: collections, scripts, transactions, channels, the log, the other caches.
 * What a worker can not run goes home as bytes and comes back as bytes, and home has the client of each connection
 * (remote-connection.ts). Who may be in the cache when: turnstile.ts, home-sharing.ts, needs.ts.
 */
export class Threads {
  /** Called when a thread has ended that should not have. */
  onDeath: (error: Error) => void = () => {}
  readonly #host: Host
  readonly #service: Service
  readonly #count: number
  readonly #turnstile: HomeTurnstile
  readonly #words: Int32Array
  readonly #sharing: HomeSharing
  readonly #workers: Worker[] = []
  readonly #exits: Promise<unknown>[] = []
  readonly #neighbours: Neighbour[] = []
  #timer: NodeJS.Timeout | undefined
  #rules: CacheRules
  /** Sockets of home that workers listen at. */
  #descriptors: readonly number[] = []
  #ending = false

  /** @param count threads with the home thread */
  constructor(host: Host, count: number) {
    this.#host = host
    this.#service = host.home
    this.#count = count - 1
    this.#rules = rulesOf(this.#service)
    this.#words = turnstileWords(this.#count)
    const { cache } = this.#service
    this.#turnstile = new HomeTurnstile(this.#words, this.#count, (member) => cache.isGone(member))
    this.#sharing = new HomeSharing(this.#service, this.#turnstile)
  }

  /** Starts the workers; resolves when all of them accept connections at `port`. */
  async start(port: Port): Promise<void> {
    if (!CAN_SHARE_PORTS) {
      this.#descriptors = port.descriptors
      port.pin(
        'with several threads the port and its addresses can change while the server runs on Node 23.1 and later',
      )
    }
    const service = this.#service
    const items = service.cache.share()
    service.sharing = this.#sharing
    service.cache.alone = (work) => this.#sharing.alone(work)
    const configuration = [...service.configuration].filter(([name]) => !OF_HOME.has(name))
    const starts = Array.from({ length: this.#count }, (_, number) => {
      const { port1, port2 } = new MessageChannel()
      const tally = tallyMemory(service)
      const task: WorkerTask = {
        number,
        port: port2,
        turnstile: this.#words,
        items,
        tally,
        configuration,
        capacity: service.cache.capacity,
        rules: this.#rules,
        listening: CAN_SHARE_PORTS ? undefined : this.#descriptors,
      }
      const worker = new Worker(workerFile(), { workerData: task, transferList: [port2] })
      const neighbour = new Neighbour(this.#host, port1, tally, new ReplyWriter(PIECE_BYTES), this.#turnstile)
      this.#workers.push(worker)
      this.#exits.push(new Promise((resolve) => worker.once('exit', resolve)))
      this.#neighbours.push(neighbour)
      return this.#begin(number, worker, neighbour)
    })
    await Promise.all(starts)
    for (const [name] of configuration) this.#follow(name)
    this.#sharing.onCount = () => this.#gather()
    this.#timer = setInterval(() => this.#look(), GATHER_EVERY_MS)
    this.#timer.unref()
    this.#sharing.start()
  }

  /** Accepts nobody any more. */
  stop(): void {
    // From here on all comes home: what is to be kept is written next, and what came later would not be.
    this.#sharing.end()
    for (const neighbour of this.#neighbours) neighbour.tell({ about: 'stop' })
  }

  /** Home has closed its sockets. */
  stopped(): void {
    occupy(this.#descriptors)
  }

  /** Ends all connections, once what was answered is sent, and then the threads. */
  async close(): Promise<void> {
    this.#ending = true
    clearInterval(this.#timer)
    for (const [at, worker] of this.#workers.entries()) {
      this.#neighbours[at]!.end()
      const timer = setTimeout(() => void worker.terminate(), END_MS)
      await this.#exits[at]
      clearTimeout(timer)
      this.#neighbours[at]!.close()
      this.stopped()
    }
    this.#service.sharing = undefined
  }

  async #begin(number: number, worker: Worker, neighbour: Neighbour): Promise<void> {
    const died = (cause: unknown): void => {
      if (this.#ending) return
      this.#ending = true
      neighbour.close()
      this.onDeath(new ThreadError(number, cause))
    }
    const failed = new Promise<never>((_, reject) => {
      worker.once('error', (error) => {
        reject(new ThreadError(number, error))
        died(error)
      })
      worker.once('exit', (code) => {
        reject(new ThreadError(number, `exit code ${code}`))
        died(`exit code ${code}`)
      })
      setTimeout(() => reject(new ThreadError(number, 'it did not start')), START_MS).unref()
    })
    await Promise.race([neighbour.ready, failed])
  }

  #follow(name: string): void {
    let value = this.#service.configuration.text(name)
    this.#service.configuration.follow(name, (now) => {
      if (now === value) return
      value = now
      for (const neighbour of this.#neighbours) neighbour.tell({ about: 'parameter', name, value })
    })
  }

  #gather(): void {
    for (const neighbour of this.#neighbours) neighbour.gather()
  }

  #look(): void {
    this.#gather()
    this.#sharing.reconsider()
    const rules = rulesOf(this.#service)
    if (Object.entries(rules).every(([name, rule]) => this.#rules[name as keyof CacheRules] === rule)) return
    this.#rules = rules
    for (const neighbour of this.#neighbours) neighbour.tell({ about: 'rules', rules })
  }
}

function rulesOf({ cache: { defaultTtlMs, maxTtlMs, itemBytesMax } }: Service): CacheRules {
  return { defaultTtlMs, maxTtlMs, itemBytesMax }
}

function workerFile(): string {
  const inSource = import.meta.url.endsWith('.ts')
  return fileURLToPath(new URL(inSource ? './worker-main.ts' : './worker-main.js', import.meta.url))
}
