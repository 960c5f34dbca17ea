/**
 * A process that is told what to do: it imports a module that exports `serve(argument)`, which returns functions, and
 * calls them by name. For suites where several processes act on one another; a contender is in child.ts.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { nodeFlags, pinned } from './child.ts'

/** Functions of a process: what they take and return is carried as JSON. */
export type Service = Record<string, (argument: never) => unknown>

/** What a module that runs in a remote process exports as `serve`. */
export type Serve<A, S extends Service> = (argument: A) => S | Promise<S>

export type RemoteRequest = { readonly id: number; readonly name: string; readonly argument: unknown }
export type RemoteReply = { readonly id: number; readonly result?: unknown; readonly error?: string }

export interface RemoteOptions {
  /** The module that exports `serve`. */
  readonly module: URL
  readonly argument: unknown
  readonly nodeFlags?: readonly string[]
  /** The core to run on. Default `false`: wherever the system wants. */
  readonly core?: number | false
}

/** A process and its functions. */
export class Remote<S extends Service> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  #ids = 0

  /** Starts the process, and waits until its functions are ready. Close it, or it lives as long as this process. */
  static async start<S extends Service>(options: RemoteOptions): Promise<Remote<S>> {
    const host = fileURLToPath(new URL('./remote-host.ts', import.meta.url))
    const words = [...nodeFlags(options.nodeFlags), host, options.module.href, JSON.stringify(options.argument)]
    const [command, ...rest] = pinned([process.execPath, ...words], options.core ?? false)
    const remote = new Remote<S>(spawn(command!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    await remote.#wait(0)
    return remote
  }

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ id, result, error }: RemoteReply) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result as never)
      else waiting?.reject(new Error(error))
    })
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended with ${code ?? signal}`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  async call<N extends keyof S & string>(name: N, argument?: Parameters<S[N]>[0]): Promise<Awaited<ReturnType<S[N]>>> {
    const id = ++this.#ids
    this.#child.send({ id, name, argument } satisfies RemoteRequest)
    return await this.#wait(id)
  }

  /** Sends a signal, such as `SIGSTOP`. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(giveUp)
  }

  #wait<T>(id: number): Promise<T> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }
}
