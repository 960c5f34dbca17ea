import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres } from '../../../tools/servers/postgres.ts'
import { systemBinaries } from '../../../tools/servers/postgres-binaries.ts'

/** Everything that a run makes on disk is made below this folder. */
let folder: string
let running: Run[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-main-'))
  // Root's servers run as somebody else, who has to get in.
  chmodSync(folder, 0o755)
  running = []
})
afterEach(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

const TIMEOUT_MS = 120_000
const postgres = systemBinaries() === undefined ? 'embedded' : 'system'

test('--once tells the story and leaves nothing behind', { timeout: TIMEOUT_MS }, async () => {
  const { ended, text } = start(['--once', '--rows', '20000', '--postgres', postgres])
  expect(await ended, text()).toBe(0)
  expect(text()).toMatch(/PostgreSQL [\d.]+.*: 20,000 trades 100 %/)
  expect(text().match(/✓/g)).toHaveLength(5)
  expect(text()).not.toContain('\u001b')
  expect(leftBehind()).toEqual([])
})

// Ctrl-C reaches every process of the terminal, PostgreSQL included; SIGTERM this one alone.
test.each(['SIGTERM', 'Ctrl-C'])('%s ends the app that was left running', { timeout: TIMEOUT_MS }, async (how) => {
  const { child, ended, text, says } = start(['--rows', '1000', '--postgres', postgres])
  const [, url] = await says(/The app runs at (\S+)/)
  await says(/Ctrl-C stops it all/)
  expect((await fetch(url!)).status).toBe(200)
  if (how === 'SIGTERM') child.kill('SIGTERM')
  else process.kill(-child.pid!, 'SIGINT')
  expect(await ended, text()).toBe(0)
  expect(leftBehind()).toEqual([])
})

test('it ends when the shell that npm started it with is ended', { timeout: TIMEOUT_MS }, async () => {
  const { child, ended, text, says } = start(
    ['--rows', '1000', '--postgres', postgres],
    { npm_lifecycle_event: 'start' },
    'sh',
  )
  await says(/Ctrl-C stops it all/)
  child.kill('SIGTERM')
  // The output is open until the last process that holds it has ended.
  await ended
  expect(text()).toMatch(/stopping\n$/)
  expect(leftBehind()).toEqual([])
})

test('Ctrl-C ends it while it loads', { timeout: TIMEOUT_MS }, async () => {
  const { child, ended, text, says } = start(['--rows', '2000000', '--postgres', postgres])
  await says(/trades \d+ %/)
  process.kill(-child.pid!, 'SIGINT')
  expect(await ended, text()).toBe(0)
  expect(text()).not.toContain('✗')
  expect(leftBehind()).toEqual([])
})

test('DATABASE_URL is used and not ended; SKIP_CACHE leaves the app without a cache', {
  timeout: TIMEOUT_MS,
}, async () => {
  await using database = await startPostgres()
  const env = { DATABASE_URL: database.url, SKIP_CACHE: 'true' }
  const { child, ended, text, says } = start(['--rows', '1000'], env)
  const [, url] = await says(/The app runs at (\S+)/)
  await says(/Ctrl-C stops it all/)
  expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ cacheIsOn: false })
  child.kill('SIGTERM')
  expect(await ended, text()).toBe(0)
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query('SELECT count(*)::int AS trades FROM trades')
  await client.end()
  expect(rows[0].trades).toBeGreaterThanOrEqual(1002)
})

test('what is not understood is explained', { timeout: TIMEOUT_MS }, async () => {
  const { ended, text } = start(['--rows', 'many'])
  expect(await ended).toBe(1)
  expect(text()).toContain('✗ --rows many: give a whole number')
})

/** What tsx keeps for its next run does not count. */
function leftBehind(): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('tsx-'))
}

interface Run {
  child: ChildProcess
  ended: Promise<number | null>
  text: () => string
  /** Waits until the output matches. */
  says: (pattern: RegExp) => Promise<RegExpExecArray>
}

/** Runs what `npm start` runs, as the leader of a process group; with `sh`, below a shell that waits for it. */
function start(args: readonly string[], more: NodeJS.ProcessEnv = {}, shell?: 'sh'): Run {
  const env = { ...process.env, DATABASE_URL: '', PORT: '', SKIP_CACHE: '', TMPDIR: folder, ...more }
  const flags = ['--conditions=@millpond/source', '--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...args]
  const [command, ...rest] = shell
    ? [shell, '-c', '"$@"; exit', 'sh', process.execPath, ...flags]
    : [process.execPath, ...flags]
  const child = spawn(command!, rest, {
    cwd: import.meta.dirname,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output)
      if (match) return match
      const [what] = await Promise.race([once(child.stdout, 'data'), ended.then(() => ['ended'])])
      if (what === 'ended') throw new Error(`ended without ${pattern}: ${output}`)
    }
  }
  const run = { child, ended, text: () => output, says }
  running.push(run)
  return run
}
