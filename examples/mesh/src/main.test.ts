import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const TIMEOUT_MS = 120_000

test('--once: who was killed and comes back has everything, and all hold the same', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { ended, text } = start(['--once'])
  expect(await ended, text()).toBe(0)
  expect(text()).toMatch(/ann sets \w+ \d\.\d\d/)
  expect(text()).toMatch(/cid sees \w+ \d\.\d\d of bob/)
  expect(text()).toContain('bob was killed')
  expect(text()).toContain('bob is back: 8 of 8 prices in its memory')
  expect(text()).toContain('✓ all three hold the same')
  expect(text()).not.toContain('\u001b')
})

test('Ctrl-C ends it, and every process of it', { timeout: TIMEOUT_MS }, async () => {
  const { child, ended, text, says } = start([])
  await says(/each changes prices/)
  await says(/sees/)
  process.kill(-child.pid!, 'SIGINT')
  // The output is open until the last process that holds it has ended.
  expect(await ended, text()).toBe(0)
})

/** As the leader of a process group, as a terminal starts it. */
function start(args: readonly string[]) {
  const main = join(import.meta.dirname, 'main.ts')
  const flags = ['--conditions=@millpond/source', '--import', 'tsx', main, ...args]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, flags, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(output)) {
      if (child.exitCode !== null) throw new Error(`ended without ${pattern}: ${output}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { child, ended, text: () => output, says }
}
