import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { byName, direction, extension, outside, siblings } from './tidy/imports.ts'
import { lockFaults } from './tidy/lock.ts'
import { everyTestRuns, noMachine } from './tidy/proofs.ts'
import { sizeReport, sizes } from './tidy/sizes.ts'
import { type Rule, readSources, show, sourceOf } from './tidy/source.ts'
import { words } from './tidy/words.ts'

const root = dirname(import.meta.dirname)
const sources = readSources(root)

const rules: Record<string, Rule> = {
  'layers import only what lies below them': direction,
  'feeds do not know each other, and stores neither': siblings,
  'the library imports no package, and no part of Node where it has to run anywhere': outside,
  'relative imports name the file': extension,
  'examples import packages by name': byName,
  'names use the words of STYLE.md': words,
  'every test runs': everyTestRuns,
  'nothing depends on one machine': noMachine,
  'files and functions have a size that can be read': sizes,
}

describe('house rules', () => {
  test.each(Object.entries(rules))('%s', (_, rule) => {
    expect(sources.length).toBeGreaterThan(30)
    expect(sources.flatMap((source) => rule(source)).map(show)).toEqual([])
  })

  test('the sizes are reported', () => {
    const report = sizeReport(sources)
    console.log(report)
    expect(report).toMatch(/\d+ files: median \d+ lines/)
  })

  test('npm ci accepts the lock file', () => {
    expect(lockFaults(readFileSync(join(root, 'package-lock.json'), 'utf8'))).toEqual([])
  })
})

describe('the rules see what they are for', () => {
  const library = 'packages/millpond/src'
  const server = 'packages/millpond-server/src'
  test.each([
    ['core that imports cache', direction, `${library}/core/a.ts`, "import '../cache/b.ts'", 'core imports'],
    [
      'core that takes a type of memory',
      direction,
      `${library}/core/a.ts`,
      "type A = import('../memory/b.ts').B",
      'memory',
    ],
    ['memory that imports cache', direction, `${library}/memory/a.ts`, "export * from '../cache/b.ts'", 'only core'],
    [
      'a feed that imports the cache',
      direction,
      `${library}/feeds/postgres/a.ts`,
      "import '../../cache/b.ts'",
      'a port in core',
    ],
    ['siblings that meet', direction, `${library}/stores/a.ts`, "import '../feeds/b.ts'", 'only core'],
    [
      'a feed that imports another',
      siblings,
      `${library}/feeds/mongodb/a.ts`,
      "import '../postgres/b.ts'",
      'move what',
    ],
    ['what stores share that knows one', siblings, `${library}/stores/a.ts`, "import './valkey/b.ts'", 'of valkey'],
    ['a late import across layers', direction, `${library}/mesh/a.ts`, "await import('../stores/b.ts')", 'stores'],
    [
      'the front door that loads a feed',
      direction,
      `${library}/index.ts`,
      "export * from './feeds/postgres/index.ts'",
      'feeds',
    ],
    ['what is not published', direction, `${library}/core/a.ts`, "import '../../../../tools/test.ts'", 'not published'],
    ['a folder that is no layer', direction, `${library}/utils/a.ts`, '', 'utils is no layer'],
    [
      'an engine that knows commands',
      direction,
      `${server}/engine/a.ts`,
      "import '../commands/b.ts'",
      'engine imports',
    ],
    [
      'a console that knows the engine',
      direction,
      `${server}/console/a.ts`,
      "import '../engine/b.ts'",
      'nothing of the project',
    ],
    ['Node in the core', outside, `${library}/core/a.ts`, "import { readFile } from 'node:fs'", "builtin('node:fs')"],
    ['a client', outside, `${library}/feeds/postgres/a.ts`, "import pg from 'pg'", 'have it passed in'],
    ['a client, late, in the cache', outside, `${library}/cache/a.ts`, "await import('pg')", 'have it passed in'],
    ['an import without extension', extension, 'tests/a.ts', "import './b'", "'./b.ts'"],
    ['an import of what is built', extension, 'tests/a.ts', "import './b.js'", "'./b.ts'"],
    [
      'an example that reaches inside',
      byName,
      'examples/trades/src/a.ts',
      "import '../../../packages/millpond/src/index.ts'",
      'millpond',
    ],
    [
      'a word left aside in a property',
      words,
      `${library}/cache/a.ts`,
      'export interface A { maxAgeMs: number }',
      'ttl',
    ],
    ['a word left aside in a class', words, `${library}/stores/a.ts`, 'class RedisDriver {}', 'Store'],
    ['a word left aside in a file name', words, `${library}/cache/write-back.ts`, '', 'writeBehind'],
    ['a test that is left out', everyTestRuns, 'tests/a.test.ts', "test.skip('a', () => {})", 'test.skip'],
    [
      'a suite that runs alone',
      everyTestRuns,
      'tests/a.test.ts',
      "describe.concurrent.only('a', () => {})",
      'describe.only',
    ],
    ['a folder of a person', noMachine, 'docs/a.md', `see ${'/home'}/ada/mill`, 'relative'],
    ['a temporary folder', noMachine, 'tools/a.ts', `const folder = '${'/tmp'}/mill'`, 'os.tmpdir()'],
    ['a registry', noMachine, 'docs/a.md', `from https://registry.${'npmjs'}.org/`, 'npm and apt'],
    ['an endless file', sizes, 'bench/a.ts', 'let a = 1\n'.repeat(601), '601 lines'],
    [
      'an endless function',
      sizes,
      `${library}/core/a.ts`,
      `function mill() {\n${'run()\n'.repeat(150)}}`,
      'mill has 152',
    ],
  ])('%s', (_, rule, path, text, advice) => {
    const complaints = rule(sourceOf(path, text)).map(show)
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toContain(advice)
    expect(complaints[0]).toContain(`${path}:1 `)
  })

  test.each([
    [
      'a layer that imports what lies below',
      direction,
      `${library}/cache/a.ts`,
      "import '../core/b.ts'; import '../memory/b.ts'; import './c.ts'",
    ],
    [
      'a feed that imports what is shared, and its own parts',
      siblings,
      `${library}/feeds/mongodb/collection/a.ts`,
      "import '../../backoff.ts'; import '../feed.ts'; import '../../../core/b.ts'",
    ],
    ['a test that imports what it likes', direction, `${library}/core/a.test.ts`, "import '../testing/b.ts'"],
    [
      "a type of Node's, which is gone once compiled",
      outside,
      `${library}/memory/a.ts`,
      "type Files = typeof import('node:fs')",
    ],
    ['Node in a feed', outside, `${library}/feeds/postgres/a.ts`, "import 'node:net'"],
    ['a client that is loaded late by a feed', outside, `${library}/feeds/postgres/a.ts`, "await import('pg')"],
    ['a word of another library that is only used', words, `${library}/cache/a.ts`, "response.headers.maxAge = '1'"],
    ['a word inside another word', words, `${library}/cache/a.ts`, 'let gracefully = 1; let robust = 2'],
    ['a skip that is no test', everyTestRuns, `${library}/cache/a.ts`, 'ctx.skip(1)'],
    [
      'a path in a URL, and one from the root of a site',
      noMachine,
      'docs/a.md',
      'https://example.org/home/mill and /trades/count',
    ],
  ])('and let pass: %s', (_, rule, path, text) => {
    expect(rule(sourceOf(path, text)).map(show)).toEqual([])
  })

  test('a lock file without an optional package, with a registry, or without integrity', () => {
    const packages = {
      '': { dependencies: { mill: '1' } },
      'node_modules/mill': { integrity: 'sha512-1', optionalDependencies: { 'mill-mac': '1' } },
      'node_modules/wheel': { resolved: 'https://registry/wheel.tgz', dependencies: { mill: '1' } },
    }
    expect(lockFaults(JSON.stringify({ packages }))).toEqual([
      expect.stringContaining('node_modules/wheel names https://registry/wheel.tgz'),
      expect.stringContaining('node_modules/wheel has no integrity'),
      expect.stringContaining('node_modules/mill needs mill-mac'),
    ])
  })
})
