import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

test('--version prints the version of the package and nothing else', () => {
  expect(millpond('--version')).toEqual({ status: 0, out: `${manifest.version}\n`, error: '' })
})

test('--help names the options, the commands and the exit codes', () => {
  const { status, out } = millpond('--help')
  expect(status).toBe(0)
  expect(out).toContain('Usage: millpond')
  expect(out).toContain('--version')
  expect(out).toMatch(/^ {2}mesh /m)
  expect(out).toMatch(/^ {2}serve /m)
  expect(out).toContain('millpond init && millpond serve')
  expect(out).toContain('Exit codes: 0 done')
})

test('without arguments it prints the help', () => {
  expect(millpond()).toEqual(millpond('--help'))
})

test('an unknown command is named on stderr, with exit code 2', () => {
  expect(millpond('pour')).toEqual({
    status: 2,
    out: '',
    error: `error: there is no command 'pour' in millpond ${manifest.version}; see millpond --help\n`,
  })
})

test('serve does not listen beyond loopback without TLS and tokens, unless that is said twice', () => {
  const { status, out, error } = millpond('serve', '--host', '0.0.0.0')
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(error).toContain('--without-tls')
  expect(error).toContain('--without-tokens')
  const half = millpond('serve', '--host', '0.0.0.0', '--port', '0', '--without-tokens')
  expect(half.status).toBe(2)
  expect(half.error).toContain('--without-tls')
  expect(half.error).not.toContain('--without-tokens')
})

test('an unknown option is named on stderr, with exit code 2', () => {
  const { status, error } = millpond('--prot')
  expect(status).toBe(2)
  expect(error).toContain("unknown option '--prot'")
})

function millpond(...args: string[]): { status: number | null; out: string; error: string } {
  const main = join(import.meta.dirname, 'main.ts')
  const run = spawnSync(process.execPath, ['--conditions=@millpond/source', '--import', 'tsx', main, ...args], {
    encoding: 'utf8',
  })
  return { status: run.status, out: run.stdout, error: run.stderr }
}
