/** Our pages stay true: their code compiles and does what it says, their links lead somewhere, their tables are whole. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MillpondServer, startMillpond } from '../tools/servers/millpond.ts'
import { type PostgresServer, startPostgres } from '../tools/servers/postgres.ts'
import type { Outcome } from './docs/run.ts'
import { snippetsOf, writeSnippets } from './docs/snippets.ts'

const root = dirname(import.meta.dirname)
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'examples/README.md',
  'examples/quotes/README.md',
  'examples/trades/README.md',
  'examples/mesh/README.md',
  'packages/millpond/README.md',
  'packages/millpond-server/README.md',
  'packages/millpond/src/cache/DESIGN.md',
  'packages/millpond/src/memory/DESIGN.md',
  'packages/millpond/src/feeds/DESIGN.md',
  'packages/millpond/src/codecs/DESIGN.md',
  'packages/millpond/src/stores/valkey/DESIGN.md',
  'packages/millpond/src/mesh/DESIGN.md',
  ...docs.map((name) => `docs/${name}`),
]
const files = ['packages/millpond/src', 'packages/millpond-server/src', 'tests'].flatMap((folder) => {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => basename(path))
})
const snippets = pages.flatMap((page) => snippetsOf(root, page))

describe('the code in our pages', () => {
  let server: PostgresServer
  let service: MillpondServer
  let folder: string
  let complaints: string
  let outcomes: Record<string, Outcome>

  beforeAll(async () => {
    server = await startPostgres()
    await prepare(server.url)
    folder = writeSnippets(join(root, 'tests/.cache'), snippets)
    complaints = compile(folder)
    service = await startMillpond()
    outcomes = run(folder, { DATABASE_URL: server.url, MILLPOND_URL: `millpond://127.0.0.1:${service.port}` })
  }, 120_000)

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await service.destroy()
    await server.destroy()
  })

  test('is found', () => {
    expect(snippets.length).toBeGreaterThan(40)
  })

  test.each(snippets)('$place compiles', ({ file }) => {
    expect(complaints.split('\n').filter((line) => line.includes(file))).toEqual([])
  })

  test.each(snippets.filter(({ runs }) => runs))('$place runs, and prints what it says', ({ file, prints }) => {
    expect(outcomes[file]?.error).toBeUndefined()
    expect(outcomes[file]?.printed).toEqual(prints)
  })
})

describe('the links in our pages', () => {
  test.each(pages)('%s', (page) => {
    const text = read(page).replaceAll(/^```[\s\S]*?^```$/gm, '')
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
    const broken = targets.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(page, target))
    expect(broken).toEqual([])
  })
})

describe('what the pages list is whole', () => {
  test('docs/README.md names every page', () => {
    const index = read('docs/README.md')
    expect(docs.filter((name) => name !== 'README.md' && !index.includes(`(${name})`))).toEqual([])
  })

  test('docs/options.md has every option of an entry, a read, a cache and its memory, and no other', () => {
    const declared = ['EntryOptions', 'ReadOptions', 'GetOrSetOptions', 'CacheOptions', 'MemoryOptions'].flatMap(
      (name) => optionsOf('packages/millpond/src/cache/options.ts', name),
    )
    const described = [...read('docs/options.md').matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual([...new Set(declared)].toSorted())
  })

  test('docs/postgres.md has every option of postgresFeed, and no other', () => {
    const declared = optionsOf('packages/millpond/src/feeds/postgres/options.ts', 'PostgresFeedOptions')
    const section = read('docs/postgres.md').split('\n## Options')[1]!.split('\n## ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test('docs/mongodb.md has every option of mongoFeed, and no other', () => {
    const declared = optionsOf('packages/millpond/src/feeds/mongodb/options.ts', 'MongoFeedOptions')
    const section = read('docs/mongodb.md').split('\n## Options')[1]!.split('\n## ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test('docs/stores.md has every option of valkeyStore, and no other', () => {
    const declared = ['ValkeyStoreOptions', 'ValkeyConnectOptions'].flatMap((name) =>
      optionsOf('packages/millpond/src/stores/valkey/options.ts', name),
    )
    const section = read('docs/stores.md').split('\n### Options of `valkeyStore`')[1]!.split('\n### ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test('docs/service-client.md has every option of connectService, and no other', () => {
    const declared = optionsOf('packages/millpond/src/stores/service/options.ts', 'ServiceOptions')
    const section = read('docs/service-client.md').split('\n### Options of `connectService`')[1]!.split('\n## ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test('docs/stores.md has every option of valkeyBus, and no other', () => {
    const declared = optionsOf('packages/millpond/src/stores/valkey/bus-options.ts', 'ValkeyBusOptions')
    const section = read('docs/stores.md').split('\n## Telling other processes')[1]!.split('\n### ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test.each([
    ['memcachedStore', 'memcached', 'MemcachedStoreOptions'],
    ['failoverStore', 'failover', 'FailoverStoreOptions'],
  ])('docs/stores.md has every option of %s, and no other', (name, folder, options) => {
    const declared = optionsOf(`packages/millpond/src/stores/${folder}/options.ts`, options)
    const section = read('docs/stores.md').split(`\n### Options of \`${name}\``)[1]!.split('\n### ')[0]!
    const described = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!)
    expect(described.toSorted()).toEqual(declared.toSorted())
  })

  test('docs/observability.md has every event and every counter', () => {
    const page = read('docs/observability.md')
    const events = optionsOf('packages/millpond/src/cache/events.ts', 'CacheEvents')
    const counters = optionsOf('packages/millpond/src/cache/stats.ts', 'CacheStats')
    expect(events.length).toBeGreaterThan(10)
    expect([...events, ...counters].filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([])
  })

  test.each(pages.filter((page) => /ARCHITECTURE|DESIGN/.test(page)))('the files that %s names are there', (page) => {
    const named = [...read(page).matchAll(/(?<![\w/])(?:[\w.-]+\/)*([\w*.-]+\.ts)\b/g)].map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((name) => !files.some((file) => isNamed(file, name)))).toEqual([])
  })

  test('each promise of README.md names a test file that has it', () => {
    const table = read('README.md').split('\n## Promises')[1]!.split('\n## ')[0]!
    const rows = [...table.matchAll(/^\| (.+) \| \[.+\]\((.+)\) · (.+) \|$/gm)]
    expect(rows.length).toBeGreaterThan(8)
    for (const [, promise, file, name] of rows) expect(read(file!), promise).toContain(name)
  })

  test('each failure in docs/freshness.md names tests that are there', () => {
    const table = read('docs/freshness.md').split('\n## What breaks')[1]!.split('\n## ')[0]!
    const rows = [...table.matchAll(/^\| (.+) \| .+ \| (`.+) \|$/gm)]
    expect(rows.length).toBeGreaterThan(20)
    for (const [, what, tests] of rows) {
      const named = [...tests!.matchAll(/`([^`]+\.ts)`: ([^`]+)/g)]
      expect(named.length, what).toBeGreaterThan(0)
      for (const [, file, names] of named) {
        const path = existsSync(join(root, file!)) ? file! : `packages/millpond/src/feeds/postgres/${file}`
        for (const name of names!.split(/; ?/).filter((part) => part !== '')) expect(read(path), what).toContain(name)
      }
    }
  })
})

/** The tables that the pages speak of. */
async function prepare(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`
    CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, team_id int);
    CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int);
    INSERT INTO users SELECT n, 'Ann', 3 FROM generate_series(1, 20) n;
    INSERT INTO orders SELECT n, n, 10 FROM generate_series(1, 20) n`)
  await client.end()
}

/** What the compiler says, a line a complaint; '' is nothing. */
function compile(folder: string): string {
  const require = createRequire(join(root, 'package.json'))
  const { bin } = require('typescript/package.json') as { bin: { tsc: string } }
  const tsc = join(dirname(require.resolve('typescript/package.json')), bin.tsc)
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--project', folder, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  return stdout + stderr
}

function run(folder: string, servers: Readonly<Record<string, string>>): Record<string, Outcome> {
  const files = snippets.filter(({ runs }) => runs).map(({ file }) => file)
  const args = ['--conditions=@millpond/source', '--import', 'tsx', join(root, 'tests/docs/run.ts'), folder, ...files]
  const env = { ...process.env, ...servers, TMPDIR: folder, NODE_OPTIONS: '' }
  const printed = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env, timeout: 60_000 })
  return JSON.parse(printed) as Record<string, Outcome>
}

/** The names of an interface's members. */
function optionsOf(path: string, name: string): string[] {
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(read(path))?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map((match) => match[1]!)
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path, anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path!)
  // The reference of the API is made by npm run docs:api.
  if (file.startsWith('docs/api')) return true
  if (!existsSync(join(root, file))) return false
  if (anchor === undefined) return true
  const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!))
  return headings.includes(anchor)
}

/** Whether a file has this name, in which `*` stands for anything. */
function isNamed(file: string, name: string): boolean {
  const [start, end] = name.split('*')
  return end === undefined ? file === name : file.startsWith(start!) && file.endsWith(end)
}

/** The anchor of a heading, as GitHub makes it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
