import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findInSystem, onPath, servers } from './find.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-find-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a folder counts only with all commands, as programs', () => {
  const half = place('half', { mill: 0o755 })
  const notRunnable = place('text', { mill: 0o755, wheel: 0o644 })
  const whole = place('whole', { mill: 0o755, wheel: 0o755 })
  const path = ['', half, notRunnable, whole].join(delimiter)
  expect(onPath(['mill', 'wheel'], path)).toBe(whole)
  expect(onPath(['mill', 'race'], path)).toBeUndefined()
})

test('a server that names no folder of its own is looked for on PATH', () => {
  expect(findInSystem({ commands: ['sh'], apt: 'dash', image: 'debian' })?.from).toBe('system')
  expect(findInSystem({ commands: ['no-such-mill'], apt: 'mill', image: 'mill' })).toBeUndefined()
})

test('every row names what to do on each way', () => {
  for (const [name, kind] of Object.entries(servers)) {
    expect(kind.commands.length, name).toBeGreaterThan(0)
    expect(kind.apt, name).toMatch(/^[a-z0-9.+-]+$/)
    if (!kind.optional) expect(kind.image, name).toMatch(/^[a-z0-9/.-]+:[a-z0-9.-]+$/)
  }
})

function place(name: string, programs: Record<string, number>): string {
  const path = join(folder, name)
  mkdirSync(path)
  for (const [program, mode] of Object.entries(programs)) {
    writeFileSync(join(path, program), '#!/bin/sh\n')
    chmodSync(join(path, program), mode)
  }
  return path
}
