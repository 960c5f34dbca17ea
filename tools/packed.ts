/**
 * The packages as they are published: built and packed by `npm pack` in a copy of the workspace, so that the checkout
 * is not touched, whoever else works in it.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** The tarballs by package name, in a folder of their own until `remove` is called. */
export interface PackedPackages {
  readonly tarballs: Readonly<Record<string, string>>
  /** Where more files may be put. */
  readonly folder: string
  remove(): void
}

const root = dirname(import.meta.dirname)
const COPIED = ['tsconfig.base.json', 'LICENSE', 'README.md', 'tools/clean.mjs', 'tools/pack.mjs']

/** Packs every package of `packages/`. Throws with the output of the build when it fails. */
export function packPackages(): PackedPackages {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-packed-'))
  const copy = join(folder, 'workspace')
  const names = readdirSync(join(root, 'packages'))
  try {
    copyWorkspace(copy, names)
    const tarballs = Object.fromEntries(names.map((name) => [name, packOne(join(copy, 'packages', name), folder)]))
    return { tarballs, folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function copyWorkspace(copy: string, names: readonly string[]): void {
  mkdirSync(copy)
  for (const file of COPIED) if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file))
  const filter = (path: string): boolean => !['node_modules', 'dist'].includes(basename(path))
  for (const name of names)
    cpSync(join(root, 'packages', name), join(copy, 'packages', name), { recursive: true, filter })
  // The build finds its tools and types where npm put them.
  for (const place of ['', ...names.map((name) => join('packages', name))]) {
    const modules = join(root, place, 'node_modules')
    if (existsSync(modules)) symlinkSync(modules, join(copy, place, 'node_modules'))
  }
}

function packOne(packageFolder: string, destination: string): string {
  const before = new Set(readdirSync(destination))
  npm(['pack', '--silent', '--pack-destination', destination], packageFolder)
  const tarball = readdirSync(destination).find((name) => !before.has(name))
  if (tarball === undefined) throw new Error(`npm pack made no tarball of ${basename(packageFolder)}`)
  return join(destination, tarball)
}

/** Runs npm to its end and returns what it printed. Throws with its output when it fails. */
export function npm(args: readonly string[], cwd: string): string {
  try {
    return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`)
  }
}
