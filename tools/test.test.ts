import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = dirname(import.meta.dirname)
let folder: string

/** Projects of their own, below the workspace so that `vitest` resolves, with a config that finds nothing else. */
beforeAll(() => {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  folder = mkdtempSync(join(cache, 'millpond-closing-'))
  writeFileSync(
    join(folder, 'vitest.config.js'),
    `export default { root: ${JSON.stringify(folder)}, test: { include: ['*.mjs'], exclude: [] } }`,
  )
  write('good', "test('a', () => {}); test('b', () => {}); test.skip('c', () => {})")
  write('bad', "test('a', () => {}); test('b', () => { throw new Error('b') })")
  write('broken', "throw new Error('the file')")
  write('hook', "beforeAll(() => { throw new Error('hook') }); test('a', () => {})")
  write(
    'outside',
    "test('a', () => { setTimeout(() => { throw new Error('outside') }) ; return new Promise((r) => setTimeout(r, 20)) })",
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm test closes with the count and a status that agree', () => {
  test.each([
    ['tests that pass', ['good'], '2 passed, 0 failed', 0],
    ['a test that fails', ['good', 'bad'], '3 passed, 1 failed', 1],
    ['a file that cannot be loaded', ['good', 'broken'], '2 passed, 1 failed', 1],
    ['a hook that fails', ['hook'], '0 passed, 1 failed', 1],
    ['an error outside any test', ['outside'], '1 passed, 1 failed', 1],
    ['no test at all', ['no-such-file'], '0 passed, 1 failed', 1],
  ])(
    '%s',
    (_, files, line, status) => {
      const run = npmTest(files.map((file) => `${file}.mjs`))
      expect(run.lines.at(-1), run.lines.join('\n')).toBe(line)
      expect(run.status).toBe(status)
    },
    60_000,
  )
})

function write(name: string, body: string): void {
  writeFileSync(join(folder, `${name}.mjs`), `import { beforeAll, test } from 'vitest'\n${body}\n`)
}

function npmTest(args: string[]): { lines: string[]; status: number | null } {
  const config = ['--config', join(folder, 'vitest.config.js')]
  const run = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'tools/test.ts'), ...config, ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { lines: run.stdout.trimEnd().split('\n'), status: run.status }
}
