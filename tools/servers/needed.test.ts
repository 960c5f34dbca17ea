import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { neededServers } from './needed.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-needed-'))
  write('postgres.ts', 'export const start = 1')
  write('redis.ts', 'export const start = 1')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const needs = (...names: string[]) =>
  neededServers(
    names.map((name) => join(folder, name)),
    folder,
    ['postgres', 'redis'],
  )

test('a test needs the server whose launcher it imports', () => {
  write('a.test.ts', "import { start } from './postgres.ts'")
  expect(needs('a.test.ts')).toEqual(['postgres'])
})

test('a launcher is found behind a helper, a late import and an export', () => {
  write('a.test.ts', "import {\n  help,\n} from './helper.ts'")
  write('helper.ts', "export * from './more.ts'\nimport './helper.ts'")
  write('more.ts', "await import('./redis.ts')")
  expect(needs('a.test.ts')).toEqual(['redis'])
})

test('a test without a launcher needs no server, whatever packages it imports', () => {
  write('a.test.ts', "import { readFileSync } from 'node:fs'\nimport pg from 'pg'\nimport './gone.ts'")
  expect(needs('a.test.ts')).toEqual([])
})

test('each server is named once for a whole run', () => {
  write('a.test.ts', "import './postgres.ts'")
  write('b.test.ts', "import './postgres.ts'\nimport './redis.ts'")
  expect(needs('a.test.ts', 'b.test.ts')).toEqual(['postgres', 'redis'])
})
