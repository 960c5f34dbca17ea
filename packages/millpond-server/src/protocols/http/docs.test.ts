/** docs/http.md stays true: its examples are run by a shell, and its tables are those of the code. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROUTES } from './admin-routes.ts'
import { startClosed } from './http.fixture.ts'
import { OF_CACHES, OF_HOST } from './metrics-table.ts'
import { Problem, STATUSES } from './problem.ts'

const page = readFileSync(new URL('../../../../../docs/http.md', import.meta.url), 'utf8')
const run = promisify(execFile)

/** Commands of the page, each with the lines that it prints. */
function examples(): { readonly command: string; readonly prints: string }[] {
  const found: { command: string; prints: string }[] = []
  for (const [, block] of page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)) {
    for (const line of block!.trimEnd().split('\n')) {
      if (line.startsWith('# ')) found.at(-1)!.prints = line.slice(2)
      else found.push({ command: line, prints: '' })
    }
  }
  return found
}

test('the examples answer what the page says', async () => {
  const { request, admin, url } = await startClosed()
  await request('POST /admin/caches', '{"name":"shop"}', admin)
  const made = await request('POST /admin/tokens', '{"name":"shop","cache":"shop"}', admin)
  const env = {
    ...process.env,
    MILLPOND: url,
    TOKEN: (made.json as { token: string }).token,
    ADMIN: admin.Authorization,
  }
  const all = examples()
  expect(all.length).toBeGreaterThan(15)
  for (const { command, prints } of all) {
    const { stdout } = await run('bash', ['-c', command], { env, timeout: 30_000 })
    const pattern = prints.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    expect(stdout.trim(), command).toMatch(new RegExp(`^${pattern.join('.*')}$`))
  }
})

/** The first two cells of rows whose first cell is code. */
function rows(): (readonly [string, string])[] {
  return [...page.matchAll(/^\| (`.*?`.*?) \| (.*?) \|$/gm)].map(([, first, second]) => [first!, second!] as const)
}

test('every metric, route and code is in a table of the page', () => {
  const told = new Map(rows().map(([first, second]) => [first, second]))
  for (const [name, , help] of [...OF_CACHES, ...OF_HOST]) expect(told.get(`\`${name}\``), name).toBe(help)
  for (const [method, path] of ROUTES) expect([...told.keys()]).toContain(`\`${method} /admin/${path.join('/')}\``)
  const problems = rows().filter(([, status]) => /^\d{3}(?:$|, with)/.test(status))
  const codes = problems.flatMap(([first, status]) =>
    [...first.matchAll(/`([A-Z]+)`/g)].map(([, code]) => [code!, status] as const),
  )
  for (const code of Object.keys(STATUSES)) expect(codes.map(([known]) => known)).toContain(code)
  for (const [code, status] of codes) {
    const { status: own, retryAfter } = new Problem(code, '')
    expect(status, code).toBe(retryAfter === undefined ? String(own) : `${own}, with \`Retry-After\``)
  }
})
