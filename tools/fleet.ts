/** Several processes that load a key once for all: starts `fleet.fixture.ts` as often as asked. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'

/** What one process tells of one key. */
export interface FleetReport {
  readonly loads: number
  readonly tookMs: number
  readonly whole: boolean
}

export interface FleetOptions {
  readonly url: string
  readonly processes: number
  readonly loadMs: number
  readonly misses: number
}

const SCRIPT = new URL('../packages/millpond/src/cache/fleet.fixture.ts', import.meta.url).pathname

/** Processes that are connected and wait for keys. */
export class ProcessFleet {
  readonly #members: {
    readonly child: ChildProcess
    readonly lines: AsyncIterator<string>
    readonly reader: Interface
  }[] = []

  /** Resolves when all are ready. */
  static async start({ url, processes, loadMs, misses }: FleetOptions): Promise<ProcessFleet> {
    const fleet = new ProcessFleet()
    const words = ['--conditions=@millpond/source', '--import', 'tsx', SCRIPT, url, `${loadMs}`, `${misses}`]
    for (let at = 0; at < processes; at++) {
      const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
      const reader = createInterface({ input: child.stdout })
      fleet.#members.push({ child, reader, lines: reader[Symbol.asyncIterator]() })
    }
    for (const { lines } of fleet.#members) await lines.next()
    return fleet
  }

  /** Has all of them read a key at once, as often as agreed. */
  async read(key: string): Promise<FleetReport[]> {
    for (const { child } of this.#members) child.stdin!.write(`${key}\n`)
    const told = await Promise.all(this.#members.map(({ lines }) => lines.next()))
    return told.map(({ value }) => JSON.parse(value as string) as FleetReport)
  }

  /** Ends one of them, as a crash would. */
  async kill(at: number): Promise<void> {
    const { child } = this.#members[at]!
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((_, at) => this.kill(at)))
    for (const { reader } of this.#members) reader.close()
  }
}
