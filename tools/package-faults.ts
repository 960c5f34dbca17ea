/** What publint and Are The Types Wrong (attw) have to say against a packed package. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/** One line or paragraph a fault; none means that both are content. Suggestions count as faults. */
export async function packageFaults(tarball: string): Promise<string[]> {
  const bytes = readFileSync(tarball)
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
  const faults = messages.map((message) => `publint, ${message.type}: ${formatMessage(message, pkg) ?? message.code}`)
  // A package that only has a command has no types that could be wrong.
  const canBeImported = pkg.main !== undefined || pkg.exports?.['.'] !== undefined
  return canBeImported ? [...faults, ...attwFaults(tarball)] : faults
}

function attwFaults(tarball: string): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json'))
  const args = [
    join(folder, 'dist/index.js'),
    tarball,
    '--profile',
    'esm-only',
    '--no-definitely-typed',
    '--format',
    'ascii',
  ]
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })
  return run.status === 0 ? [] : [`attw: ${run.stdout}${run.stderr}`]
}
