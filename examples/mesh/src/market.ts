/** Starts and ends the processes of the market, and passes on what they tell. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command, Told } from './goods.ts'

type Kind = Told['kind']

export class Market implements AsyncDisposable {
  readonly #name = `market-${process.pid}`
  readonly #stalls = new Map<string, ChildProcess>()
  readonly #heard: (stall: string, told: Told) => void

  constructor(heard: (stall: string, told: Told) => void) {
    this.#heard = heard
  }

  /** Starts a process, and resolves with the first that it tells: what it holds. */
  async open(stall: string): Promise<Extract<Told, { kind: 'ready' }>> {
    const script = fileURLToPath(new URL('./stall.ts', import.meta.url))
    const child = spawn(process.execPath, [...process.execArgv, script, this.#name, stall], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#stalls.set(stall, child)
    child.on('message', (told: Told) => this.#heard(stall, told))
    return await this.#next(stall, 'ready')
  }

  tell(stall: string, command: Command): void {
    this.#stalls.get(stall)!.send(command)
  }

  /** Has it stop, and resolves with what it holds then. */
  async quiet(stall: string): Promise<Extract<Told, { kind: 'quiet' }>> {
    const answer = this.#next(stall, 'quiet')
    this.tell(stall, 'quiet')
    return await answer
  }

  /** Ends the process as a power cut would: it says good-bye to nobody. */
  async kill(stall: string): Promise<void> {
    const child = this.#stalls.get(stall)!
    this.#stalls.delete(stall)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#stalls.values()].map(end))
  }

  async #next<K extends Kind>(stall: string, kind: K): Promise<Extract<Told, { kind: K }>> {
    const child = this.#stalls.get(stall)!
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${stall} ended with ${String(code)}`)
    })
    for (;;) {
      const [told] = (await Promise.race([once(child, 'message'), ended])) as [Told]
      if (told.kind === kind) return told as Extract<Told, { kind: K }>
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  if (child.connected) child.disconnect()
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(giveUp)
}
