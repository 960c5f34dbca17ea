/** What commands and connections ask of the configuration all the time, as numbers. */
import type { Configuration } from './configuration.ts'

/** How much a peer may let wait: cut off above `hard` at once, above `soft` after so long. Infinity: no bound. */
export interface OutputLimits {
  readonly hard: number
  readonly soft: number
  readonly softMs: number
}

/** Who asks for commands that took less wants each to be timed. */
const SHORT_MICROSECONDS = 1000

const NO_LIMITS: OutputLimits = { hard: Infinity, soft: Infinity, softMs: 0 }

export class Settings {
  queryBytesMax = 0
  bulkBytesMax = 0
  normalLimits: OutputLimits = NO_LIMITS
  pubsubLimits: OutputLimits = NO_LIMITS
  /** Seconds without a command after which a client is let go; 0: never. */
  idleSeconds = 0
  keepAliveSeconds = 0
  clientsMax = 0
  /** Of a Unix socket; '' without. */
  path = ''
  /** Microseconds from which a command is in the slow log; negative: none is. */
  slowMicroseconds = 0
  /** Milliseconds from which an event is noted by LATENCY; 0: none is. */
  latencyMs = 0

  /** Keys that are remembered for client-side caching; 0: any number. */
  trackedKeysMax = 0
  /** Whether short commands are timed one by one: somebody wants to know of very short times. */
  timesEach = false

  constructor(configuration: Configuration) {
    const number = (name: string, set: (value: number) => void): void => {
      configuration.follow(name, (value) => set(Number(value)))
    }
    number('client-query-buffer-limit', (value) => void (this.queryBytesMax = value))
    number('proto-max-bulk-len', (value) => void (this.bulkBytesMax = value))
    number('timeout', (value) => void (this.idleSeconds = value))
    number('tcp-keepalive', (value) => void (this.keepAliveSeconds = value))
    number('maxclients', (value) => void (this.clientsMax = value))
    number('tracking-table-max-keys', (value) => void (this.trackedKeysMax = value))
    number('slowlog-log-slower-than', (value) => {
      this.slowMicroseconds = value
      this.#time()
    })
    number('latency-monitor-threshold', (value) => {
      this.latencyMs = value
      this.#time()
    })
    configuration.follow('unixsocket', (value) => void (this.path = value))
    configuration.follow('client-output-buffer-limit', (value) => this.#limits(value.split(' ')))
  }

  #time(): void {
    const { slowMicroseconds, latencyMs } = this
    this.timesEach = latencyMs > 0 || (slowMicroseconds >= 0 && slowMicroseconds < SHORT_MICROSECONDS)
  }

  #limits(words: readonly string[]): void {
    const of = (name: string): OutputLimits => {
      const [hard, soft, seconds] = words.slice(words.indexOf(name) + 1).map(Number)
      return { hard: hard || Infinity, soft: soft || Infinity, softMs: seconds! * 1000 }
    }
    this.normalLimits = of('normal')
    this.pubsubLimits = of('pubsub')
  }
}
