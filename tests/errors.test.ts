import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as errors from '../packages/millpond/src/core/errors.ts'

const root = dirname(import.meta.dirname)
const { exports } = createRequire(import.meta.url)('../packages/millpond/package.json') as { exports: object }
const entries = Object.keys(exports).filter((path) => path !== './package.json')

/** Classes in core/errors.ts with their codes, as the text has them: some cannot be made without a cause. */
const inCode = [
  ...read('packages/millpond/src/core/errors.ts').matchAll(
    /^export class (\w+) extends MillpondError {\n {2}readonly code = '(\w+)'/gm,
  ),
]
  .map(([, name, code]) => `${code} ${name}`)
  .sort()
/** Rows of the table in docs/errors.md. */
const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| `(\w+)` \| (.+) \| (.+) \|$/gm)]
const inDocs = rows.map(([, code, name]) => `${code} ${name}`).sort()

describe('codes and classes of errors', () => {
  test('every class of core/errors.ts has a code of its own', () => {
    const names = Object.keys(errors).filter((name) => name !== 'MillpondError')
    expect(inCode.map((line) => line.split(' ')[1]).sort()).toEqual(names.sort())
    expect(new Set(inCode.map((line) => line.split(' ')[0])).size).toBe(inCode.length)
    for (const line of inCode) expect(line).toMatch(/^ERR_[A-Z_]+ [A-Z]\w+Error$/)
  })

  test('docs/errors.md has the same codes and classes, no more and no fewer', () => {
    expect(inDocs).toEqual(inCode)
  })

  test('docs/errors.md says of each when it comes and what to do', () => {
    for (const [, code, , when, advice] of rows) {
      expect(when, code).toMatch(/^[A-Z].{20,}\.$/)
      expect(advice, code).toMatch(/^[A-Z].{10,}\.$/)
    }
  })

  test('millpond exports each class, and it is the one that is thrown', async () => {
    const api = (await import('millpond')) as Record<string, unknown>
    for (const [name, thrown] of Object.entries(errors)) expect(api[name], name).toBe(thrown)
  })

  test.each(entries)('%s exports no error that is not in core/errors.ts', async (path) => {
    const api = (await import(path.replace('.', 'millpond'))) as Record<string, unknown>
    const exported = Object.entries(api).filter(
      ([, value]) => typeof value === 'function' && value.prototype instanceof Error,
    )
    for (const [name, value] of exported) expect((errors as Record<string, unknown>)[name], name).toBe(value)
  })
})

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
