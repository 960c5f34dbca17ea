/**
 * `npm test`: gets the servers that the tests need, runs vitest with the arguments given, and closes with
 * `N passed, N failed` alone on a line. Exits non-zero when anything failed, a server is missing, or no test ran.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { TestCounts } from './count-reporter.ts'
import { type FoundServer, servers } from './servers/find.ts'
import { getServer, type Machine, thisMachine } from './servers/install.ts'
import { neededServers } from './servers/needed.ts'

const root = dirname(import.meta.dirname)
const scratch = mkdtempSync(join(tmpdir(), 'millpond-test-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  let path = process.env.PATH ?? ''
  try {
    path = pathWithServers(args)
  } catch (error) {
    console.error((error as Error).message)
    return closing({ passed: 0, failed: 1 })
  }
  const countsFile = join(scratch, 'counts.json')
  const reporters = ['--reporter=default', `--reporter=${join(root, 'tools/count-reporter.ts')}`]
  const run = vitest(['run', ...reporters, ...args], { PATH: path, MILLPOND_TEST_COUNTS: countsFile })
  const counts = readCounts(countsFile)
  const anotherFailure = run.status !== 0 && counts.failed === 0
  return closing(anotherFailure ? { ...counts, failed: 1 } : counts)
}

/** Gets what the selected test files need. Returns PATH, with the scripts for Docker in front where they are used. */
function pathWithServers(args: readonly string[]): string {
  const machine = { ...thisMachine(), scriptFolder: join(scratch, 'bin') }
  const needed = neededServers(selectedFiles(args), join(root, 'tools/servers'), Object.keys(servers))
  const found = needed.flatMap((name) => serverFor(name, machine) ?? [])
  const scripts = found.filter(({ from }) => from === 'docker').map(({ folder }) => folder)
  return [...scripts, process.env.PATH ?? ''].join(delimiter)
}

/** `undefined` where it is missing and its tests can do without: they say that they were not run. */
function serverFor(name: string, machine: Machine): FoundServer | undefined {
  const kind = servers[name]!
  try {
    return getServer(name, kind, machine)
  } catch (error) {
    if (!kind.optional) throw error
    console.log(`${name}: not to be had here, and its tests will not run: ${(error as Error).message}`)
    return undefined
  }
}

/** The test files that vitest would run with these arguments. */
function selectedFiles(args: readonly string[]): string[] {
  const listFile = join(scratch, 'files.json')
  const list = vitest(['list', '--filesOnly', `--json=${listFile}`, ...args], {}, 'pipe')
  if (list.status !== 0) throw new Error(`vitest could not list the test files:\n${list.stdout}${list.stderr}`)
  return (JSON.parse(readFileSync(listFile, 'utf8')) as { file: string }[]).map(({ file }) => file)
}

function vitest(args: readonly string[], env: Record<string, string>, stdio: 'pipe' | 'inherit' = 'inherit') {
  const program = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  return spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: stdio === 'inherit' ? ['ignore', 'inherit', 'inherit'] : 'pipe',
  })
}

/** What the reporter wrote. A run that ended before it could has failed. */
function readCounts(file: string): TestCounts {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TestCounts
  } catch {
    return { passed: 0, failed: 1 }
  }
}

/** Prints the closing line and returns the exit code. */
function closing({ passed, failed }: TestCounts): number {
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 || passed === 0 ? 1 : 0
}
