/**
 * A contender in a process of its own: its heap, garbage and compiled code are its own, and it can be pinned to a core.
 * The child imports a module that exports `prepare(argument)`, which returns a contender, and takes a turn when told.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Contender, Measured } from './alternate.ts'

export interface ChildOptions {
  readonly name: string
  /** The module with `export async function prepare(argument: A): Promise<Contender>`. */
  readonly module: URL
  /** Handed to `prepare`: anything that JSON can carry. */
  readonly argument: unknown
  /** Flags for node, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[]
  /** The core to run on, where `taskset` is there. Default: the last one. `false`: wherever the system wants. */
  readonly core?: number | false
}

/** What `prepare` of a child's module must be. */
export type Prepare<A> = (argument: A) => Contender | Promise<Contender>

/** What the parent and the child say to each other. */
export type ChildRequest = 'turn' | 'close'
export type ChildReply = { readonly ready: true } | { readonly measured: Measured } | { readonly error: string }

/** Starts the child and waits until its contender is prepared. Close it, or it lives as long as this process. */
export async function childContender(options: ChildOptions): Promise<Contender> {
  const host = fileURLToPath(new URL('./child-host.ts', import.meta.url))
  const [command, ...words] = pinned(
    [process.execPath, ...nodeFlags(options.nodeFlags), host, options.module.href, JSON.stringify(options.argument)],
    options.core ?? availableParallelism() - 1,
  )
  const child = spawn(command!, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await reply(child, options.name).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    name: options.name,
    async turn() {
      const answer = reply(child, options.name)
      child.send('turn' satisfies ChildRequest)
      const message = await answer
      return 'measured' in message ? message.measured : Number.NaN
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.send('close' satisfies ChildRequest)
      const giveUp = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(giveUp)
    },
  }
}

/** Flags that make node run our TypeScript from source, then the given ones. */
export function nodeFlags(more: readonly string[] = []): string[] {
  return ['--conditions=@millpond/source', '--import', new URL('./erase-types.mjs', import.meta.url).href, ...more]
}

/** The command with `taskset` before it, where that is there and a core is asked for. */
export function pinned(command: readonly string[], core: number | false): readonly string[] {
  return core !== false && canPin() ? ['taskset', '-c', String(core), ...command] : command
}

let tasksetFound: boolean | undefined
function canPin(): boolean {
  tasksetFound ??= availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0
  return tasksetFound
}

async function reply(child: ChildProcess, name: string): Promise<ChildReply> {
  const stop = new AbortController()
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: stop.signal }),
      once(child, 'exit', { signal: stop.signal }).then(([code, signal]) => [
        { error: `ended with ${code ?? signal}` },
      ]),
    ])) as [ChildReply]
    if ('error' in message) throw new Error(`${name}: ${message.error}`)
    return message
  } finally {
    stop.abort()
  }
}
