/** For tests of commands: a folder of a user's own, in which the program runs as a user starts it, and a service. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { millpondProgram } from '../../../../tools/servers/millpond.ts'

/** What a run of the program has said. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** A folder with a home of its own, so that no profile of the person who tests is read or written. */
export class UserFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millpond-cli-'))
  readonly #children = new Set<ChildProcess>()

  /** Runs a command to its end; `input` is what it finds on stdin. */
  async run(args: readonly string[], { input = '', env = {} }: { input?: string; env?: object } = {}): Promise<Ran> {
    const child = await this.#spawn(args, env)
    const [out, error] = [collected(child.stdout!), collected(child.stderr!)]
    child.stdin!.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out: out(), error: error() }
  }

  /** Runs a command that must succeed, and returns what it printed. */
  async says(...args: readonly string[]): Promise<string> {
    const { code, out, error } = await this.run(args)
    if (code !== 0) throw new Error(`millpond ${args.join(' ')} ended with ${code}: ${error}`)
    return out
  }

  /** Starts a command that goes on; resolves once it has printed this. */
  async start(
    args: readonly string[],
    until: string,
    env: object = {},
  ): Promise<{ child: ChildProcess; said: () => string }> {
    const child = await this.#spawn(args, env)
    const [said, error] = [collected(child.stdout!), collected(child.stderr!)]
    const exit = once(child, 'exit').then(() => Promise.reject(new Error(`it ended: ${said()} ${error()}`)))
    exit.catch(() => {})
    while (!said().includes(until)) await Promise.race([once(child.stdout!, 'data'), exit])
    return { child, said }
  }

  /** Ends a command that goes on by a signal; resolves with its exit code. */
  async end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (child.exitCode !== null) return child.exitCode
    const exit = once(child, 'exit')
    child.kill(signal)
    return ((await exit) as [number | null])[0]
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    for (const child of this.#children) await this.end(child, 'SIGKILL')
    rmSync(this.path, { recursive: true, force: true })
  }

  async #spawn(args: readonly string[], env: object): Promise<ChildProcess> {
    const { MILLPOND_URL: _, MILLPOND_TOKEN: _token, ...inherited } = process.env
    const child = spawn(process.execPath, [await millpondProgram(), ...args], {
      cwd: this.path,
      env: { ...inherited, XDG_CONFIG_HOME: join(this.path, 'home'), ...env },
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (bytes: Buffer) => {
    text += bytes
  })
  return () => text
}
