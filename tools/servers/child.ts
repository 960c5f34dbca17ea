/**
 * A throw-away server as a child process on loopback: a free port that it keeps over restarts, a folder of its own, and
 * ways to hurt it. It ends with this process, however this process ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { guard, guardedFolder } from './guard.ts'
import { isPortFree, servicePort } from './port.ts'
import { until } from './until.ts'

/** What kind of server it is. */
export interface ChildSpec {
  /** Names its folder, and stands in errors. */
  readonly name: string
  readonly command: string
  args(port: number, dir: string): readonly string[]
  /** Asks the server whether it is ready to serve: its process id, as the server knows it, or `undefined` for not yet. */
  ready(port: number): Promise<number | undefined>
  /** A port to use instead of a free one. */
  readonly port?: number | undefined
  /** A folder to run in instead of a fresh one. It is not removed. */
  readonly dir?: string | undefined
  /** Other ports that the server opens, as distances from its own: a cluster's bus is 10,000 above. */
  readonly morePorts?: readonly number[] | undefined
  /** Default 20,000 ms. */
  readonly startTimeoutMs?: number | undefined
}

/** A server that runs, or ran. */
export interface ChildServer extends AsyncDisposable {
  /** On 127.0.0.1, and the same after a restart. */
  readonly port: number
  /** 0 while it does not run. */
  readonly pid: number
  /** Between `pause` and `resume`. */
  readonly isPaused: boolean
  /** Its working folder. */
  readonly dir: string
  /** What the server printed, the last 200,000 characters. */
  log(): string
  /** Ends it in good order (SIGTERM) and waits; after 5 s, or while it is paused, by SIGKILL. Safe to call twice. */
  stop(): Promise<void>
  /** Ends it as `kill -9` does, and waits. */
  kill9(): Promise<void>
  /** SIGSTOP: its port still takes connections and nothing answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Stops it if it runs, and starts it on the same port and folder. Resolves once it serves. */
  restart(): Promise<void>
  /** As `restart`, for a server that serves nothing for a while: resolves at once, and `untilReady` waits. */
  restartBehind(): void
  untilReady(): Promise<void>
  /** Ends it as `kill9` does, and removes its folder. Safe to call twice. */
  destroy(): Promise<void>
}

/** Starts a server; resolves once it is ready. Throws with the server's own words when it cannot. */
export async function startChild(spec: ChildSpec): Promise<ChildServer> {
  const server = new Child(spec)
  try {
    await server.start()
    return server
  } catch (error) {
    await server.destroy()
    throw error
  }
}

/** Whether a server runs and is not paused. */
export function isRunning({ pid, isPaused }: ChildServer): boolean {
  return pid !== 0 && !isPaused
}

/** Pauses a server, and resolves once it stands still: a signal takes a moment to arrive at each of its threads. */
export async function freeze(server: Pick<ChildServer, 'pid' | 'pause'>): Promise<void> {
  const { pid } = server
  server.pause()
  if (existsSync(`/proc/${pid}/task`)) await until(`process ${pid} stands still`, async () => standsStill(pid))
  else await new Promise((resolve) => setTimeout(resolve, ARRIVES_MS))
}

/** By Linux's own words: the state comes behind the name, which stands in parentheses and may have any. */
function standsStill(pid: number): boolean {
  const states = readdirSync(`/proc/${pid}/task`).map((task) =>
    readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').replace(/^.*\) /s, ''),
  )
  return states.every((state) => state.startsWith('T'))
}

const ARRIVES_MS = 200
const PORT_TRIES = 5
const STOP_MS = 5000
const POLL_MS = 5

class Child implements ChildServer {
  port = 0
  isPaused = false
  readonly dir: string
  private readonly spec: ChildSpec
  private child: ChildProcess | undefined
  private ownPid: number | undefined
  private exited: Promise<void> = Promise.resolve()
  private ended: string | undefined
  private output = ''

  constructor(spec: ChildSpec) {
    this.spec = spec
    this.dir = spec.dir ?? guardedFolder(spec.name)
  }

  get pid(): number {
    return this.child === undefined ? 0 : (this.ownPid ?? this.child.pid ?? 0)
  }

  log(): string {
    return this.output
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.port = this.spec.port ?? (await servicePort(this.spec.morePorts))
      this.restartBehind()
      try {
        return await this.untilReady()
      } catch (error) {
        const again = this.spec.port === undefined && attempt < PORT_TRIES && !(await isPortFree(this.port))
        if (!again) throw error
      }
    }
  }

  async stop(): Promise<void> {
    if (this.child === undefined) return
    const impatient = setTimeout(() => this.signal('SIGKILL'), STOP_MS)
    this.signal(this.isPaused ? 'SIGKILL' : 'SIGTERM')
    await this.exited
    clearTimeout(impatient)
  }

  async kill9(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  pause(): void {
    this.isPaused = true
    this.signal('SIGSTOP')
  }

  resume(): void {
    this.isPaused = false
    this.signal('SIGCONT')
  }

  async restart(): Promise<void> {
    await this.stop()
    this.restartBehind()
    await this.untilReady()
  }

  restartBehind(): void {
    if (this.child !== undefined) throw new Error(`${this.spec.name} runs: stop it before it is started again`)
    this.output = ''
    this.ended = undefined
    this.ownPid = undefined
    this.isPaused = false
    const args = this.spec.args(this.port, this.dir)
    const child = spawn(this.spec.command, args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        this.output = (this.output + String(text)).slice(-200_000)
      })
    }
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(void (this.ended = error.message)))
      child.once('close', (code, signal) => resolve(void (this.ended = `exit ${code ?? signal}`)))
    })
    void this.exited.then(() => {
      if (this.child === child) this.child = undefined
    })
    this.guard(child.pid)
  }

  async untilReady(): Promise<void> {
    const until = performance.now() + (this.spec.startTimeoutMs ?? 20_000)
    for (;;) {
      const pid = await Promise.race([this.spec.ready(this.port), this.exited])
      if (this.ended !== undefined)
        throw new Error(`${this.spec.name} ended at its start (${this.ended})\n${this.output}`)
      if (typeof pid === 'number') {
        return this.own(pid)
      }
      if (performance.now() > until) {
        await this.kill9()
        throw new Error(`${this.spec.name} was not ready on port ${this.port} in time\n${this.output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async destroy(): Promise<void> {
    await this.kill9()
    if (this.spec.dir === undefined) rmSync(this.dir, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }

  /**
   * The server may be another process than our child: the scripts of `install.ts` run it in a container. It is then
   * signalled itself, if its command line shows that it is what answers on our port.
   */
  private own(pid: number): void {
    if (pid === this.child?.pid || !commandLine(pid).includes(String(this.port))) return
    this.ownPid = pid
    this.guard(pid)
  }

  private signal(signal: NodeJS.Signals): void {
    const { child, ownPid = child?.pid } = this
    if (child === undefined || ownPid === undefined) return
    if (ownPid === child.pid) child.kill(signal)
    else process.kill(ownPid, signal)
  }

  private guard(pid: number | undefined): void {
    if (pid === undefined) return
    const release = guard(pid)
    void this.exited.then(release)
  }
}

/** The command line of a process as Linux shows it; empty where there is no such process, or no such view. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
