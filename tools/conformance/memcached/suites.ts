/** The suites of memcached, of libmemcached and of pymemcache, with our server in place of memcached. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildServer, startChild } from '../../servers/child.ts'
import { onPath } from '../../servers/find.ts'
import { program } from '../contender.ts'
import { pytest } from '../reports.ts'
import { debianSource, gitSource, pythonFolder } from '../sources.ts'
import { type Contender, type Failure, NotHere, type Outcome, type Request, type Suite } from '../suite.ts'
import { exceptionOf, FILES } from './files.ts'

const STAND_IN = 'tools/conformance/memcached/stand-in.ts'
const FILE_SECONDS = 300

/** A script that takes memcached's command line. */
function script(contender: Contender): string {
  const command = contender === 'redis' ? memcachedProgram() : `${process.execPath} ${program(STAND_IN)}`
  return [
    '#!/bin/sh',
    // Known to a memcached that was built for tests alone.
    'for word do shift; [ "$word" = relaxed_privileges ] && word=hashpower=16; set -- "$@" "$word"; done',
    `exec ${command} "$@"`,
    '',
  ].join('\n')
}

function memcachedProgram(): string {
  const folder =
    onPath(['memcached']) ?? missing('memcached is not installed (Debian, Ubuntu: apt-get install memcached)')
  return join(folder, 'memcached')
}

function missing(why: string): never {
  throw new NotHere(why)
}

/** A server on a free port; in `redis` of a request is the original, which is memcached here. */
function start(contender: Contender, dir: string): Promise<ChildServer> {
  const file = join(dir, 'memcached')
  writeFileSync(file, script(contender))
  chmodSync(file, 0o755)
  return startChild({
    name: 'memcached-stand-in',
    command: file,
    args: (port) => ['-p', `${port}`, '-l', '127.0.0.1', '-U', '0', '-u', 'root'],
    ready: (port) => answers(port),
  })
}

async function answers(port: number): Promise<number | undefined> {
  try {
    const { connect } = await import('node:net')
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('version\r\n'))
      socket.once('error', reject).once('data', () => {
        socket.destroy()
        resolve(process.pid)
      })
    })
  } catch {
    return undefined
  }
}

const perl: Suite = {
  name: 'memcached',
  summary: "memcached 1.6.18's own tests of its protocols, with a stand-in for the program",
  async run({ contender, units, say }: Request): Promise<Outcome> {
    if (onPath(['perl']) === undefined) missing('perl is not installed')
    const tree = debianSource('memcached', say)
    const outcome = { passed: [] as string[], failed: [] as Failure[], notRun: [] as string[] }
    try {
      writeFileSync(join(tree, 'memcached-debug'), script(contender))
      writeFileSync(join(tree, 'timedrun'), '#!/bin/sh\nshift\nexec "$@"\n')
      for (const name of ['memcached-debug', 'timedrun']) chmodSync(join(tree, name), 0o755)
      for (const file of units.length > 0 ? units : FILES) {
        const found = readTap(file, await runPerl(tree, file))
        const failed = found.failed.filter(({ name }) => exceptionOf(name) === undefined)
        for (const { name } of found.failed) {
          const reason = exceptionOf(name)
          if (reason === undefined) continue
          say(`exception: ${name}: ${reason}`)
          outcome.notRun.push(name)
        }
        say(`${file}: ${found.passed.length} passed, ${failed.length} failed`)
        outcome.passed.push(...found.passed)
        outcome.failed.push(...failed)
      }
    } finally {
      rmSync(tree, { recursive: true, force: true })
    }
    return outcome
  },
}

interface PerlRun {
  readonly output: string
  readonly ended: boolean
}

async function runPerl(tree: string, file: string): Promise<PerlRun> {
  const child = spawn('perl', ['-I', 't/lib', `t/${file}.t`], {
    cwd: tree,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
  const limit = setTimeout(() => endGroup(child.pid), FILE_SECONDS * 1000)
  const ended = await new Promise<boolean>((resolve) => child.once('exit', (code) => resolve(code !== null)))
  clearTimeout(limit)
  endGroup(child.pid)
  return { output, ended }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

/** Reads what a Perl test prints: `ok 3 - stored foo`. */
function readTap(file: string, { output, ended }: PerlRun): Outcome {
  const passed: string[] = []
  const failed: Failure[] = []
  const notRun: string[] = []
  for (const [, not, number, rest = ''] of output.matchAll(/^(not )?ok (\d+)(.*)$/gm)) {
    const name = `${file} ${number}`
    if (/# skip/i.test(rest)) notRun.push(name)
    else if (not) failed.push({ name, why: rest.trim() })
    else passed.push(name)
  }
  const planned = Number(/^1\.\.(\d+)/m.exec(output)?.[1] ?? 0)
  const reached = passed.length + failed.length + notRun.length
  if (!ended || reached < planned || (reached === 0 && !/^1\.\.0/m.test(output))) {
    failed.push({ name: `${file}: did not reach its end`, why: output.slice(-1500) })
  }
  return { passed, failed, notRun }
}

const capable: Suite = {
  name: 'memccapable',
  summary: "libmemcached's memccapable: what a server of the text and of the binary protocol must be capable of",
  async run({ contender }: Request): Promise<Outcome> {
    if (onPath(['memccapable']) === undefined) {
      missing('memccapable is not installed (Debian, Ubuntu: apt-get install libmemcached-tools)')
    }
    return inFolder(async (dir) => {
      await using server = await start(contender, dir)
      const passed: string[] = []
      const failed: Failure[] = []
      for (const protocol of ['-a', '-b']) {
        const output = runToEnd('memccapable', ['-h', '127.0.0.1', '-p', `${server.port}`, protocol])
        const lines = [...output.matchAll(/^((?:ascii|binary) .*?) +\[(\w+)\]/gm)]
        for (const [, name, verdict] of lines) {
          if (verdict === 'pass') passed.push(name!)
          else failed.push({ name: name!, why: verdict! })
        }
        if (lines.length === 0) failed.push({ name: `memccapable ${protocol} did not run`, why: output.slice(-1000) })
      }
      return { passed, failed, notRun: [] }
    })
  },
}

const pymemcache: Suite = {
  name: 'pymemcache',
  summary: 'pymemcache 4.0: its integration tests',
  async run({ contender, from, say }: Request): Promise<Outcome> {
    const source = gitSource('pymemcache', 'pinterest/pymemcache', 'v4.0.0', from, say)
    const folder = pythonFolder(source, ['pytest', 'pytest-cov'], say)
    return inFolder(async (dir) => {
      await using server = await start(contender, dir)
      const report = join(dir, 'report.xml')
      const tests = ['pymemcache/test/test_integration.py', 'pymemcache/test/test_client.py']
      const words = ['-m', 'pytest', '-q', ...tests, '-m', 'integration', '--no-cov', '--port', `${server.port}`]
      const output = runToEnd(join(folder, 'venv/bin/python'), [...words, `--junitxml=${report}`], folder)
      return pytest(existsSync(report) ? readFileSync(report, 'utf8') : '', output)
    })
  },
}

async function inFolder(run: (dir: string) => Promise<Outcome>): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'millpond-memcached-'))
  try {
    return await run(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** What a program prints, however it ends. */
function runToEnd(command: string, args: readonly string[], cwd?: string): string {
  try {
    const options = {
      encoding: 'utf8',
      cwd,
      env: { ...process.env, PYTHONPATH: '.' },
      timeout: FILE_SECONDS * 1000,
    } as const
    return execFileSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
    return `${stdout}${stderr}${message}`
  }
}

export const MEMCACHED_SUITES: readonly Suite[] = [perl, capable, pymemcache]
