import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AuditLog } from './audit-log.ts'

const entry = {
  by: 'default',
  address: '127.0.0.1:5',
  cache: 'default',
  action: 'cache create',
  about: ['shop', 'x'.repeat(200)],
  result: 'done',
}

test('a line for each, added to what is there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-audit-'))
  const path = join(folder, 'millpond', 'audit.log')
  for (let run = 0; run < 2; run++) {
    const log = new AuditLog(path)
    log.add(entry, 0)
    log.close()
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  expect(JSON.parse(lines[1]!)).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    ...entry,
    about: ['shop', `${'x'.repeat(128)}…`],
  })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  rmSync(folder, { recursive: true })
})

test('what the file does not take is told elsewhere, with why; later lines are written again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-audit-'))
  const path = join(folder, 'taken', 'audit.log')
  writeFileSync(join(folder, 'taken'), '')
  const told: string[] = []
  const log = new AuditLog(path, (line) => void told.push(line))
  log.add(entry, 0)
  expect(told).toEqual([expect.stringMatching(/audit\.log can not be written, .*EEXIST.*"action":"cache create"/)])
  rmSync(join(folder, 'taken'))
  log.add(entry, 0)
  log.close()
  expect([told.length, readFileSync(path, 'utf8').trimEnd().split('\n').length]).toEqual([1, 1])
  rmSync(folder, { recursive: true })
})

test('without a file it is told elsewhere', () => {
  const lines: string[] = []
  new AuditLog(undefined, (line) => void lines.push(line)).add(entry, 0)
  expect(lines).toHaveLength(1)
})
