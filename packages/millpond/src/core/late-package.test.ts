import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { loadPackage } from './late-package.ts'

/** An application with a package of its own, as strict installs lay it out: this library does not see it. */
const application = mkdtempSync(join(tmpdir(), 'millpond-application-'))
afterAll(() => rmSync(application, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

test('a package beside this library, one beside the application, and one that is nowhere', async () => {
  expect(await loadPackage('pg')).toHaveProperty('Client')
  const folder = join(application, 'node_modules', 'mill-of-the-application')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.js'), 'exports.grinds = true')
  await expect(loadPackage('mill-of-the-application')).rejects.toThrow('mill-of-the-application')
  vi.spyOn(process, 'cwd').mockReturnValue(application)
  expect(await loadPackage('mill-of-the-application')).toEqual({ grinds: true })
  await expect(loadPackage('no-such-mill')).rejects.toThrow('no-such-mill')
})

test('where there is no Node, the failure of the import is told', async () => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
  await expect(loadPackage('no-such-mill')).rejects.toThrow('no-such-mill')
})
