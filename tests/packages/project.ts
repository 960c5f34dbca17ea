/** An empty project of a user, with our packages installed from their tarballs. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npm, type PackedPackages } from '../../tools/packed.ts'

export const root: string = dirname(dirname(import.meta.dirname))

/** The parts of package.json that the tests look at. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

/** Makes the project and returns its folder. Works without a network: what the packages depend on comes from this workspace. */
export function installProject(packed: PackedPackages): string {
  const folder = join(packed.folder, 'project')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'shop', private: true, type: 'module' }))
  const options = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--silent']
  const needed = dependenciesOfServer().map((name) => `${name}@file:${inWorkspace(name)}`)
  npm(['install', ...options, ...Object.values(packed.tarballs), ...needed], folder)
  return folder
}

/** The manifest of an installed package. */
export function manifestOf(project: string, name: string): Manifest {
  return JSON.parse(readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8')) as Manifest
}

/** Runs a module in the project with a plain Node, without the options of this process, and returns what it printed. */
export function runNode(project: string, args: readonly string[]): string {
  const { NODE_OPTIONS: _, ...env } = process.env
  return execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8', env, timeout: 30_000 })
}

/** Gives the project the declarations of Node, or of `pg`, that this workspace has. */
export function linkTypes(project: string, name: string): void {
  const link = join(project, 'node_modules/@types', name)
  mkdirSync(dirname(link), { recursive: true })
  if (!existsSync(link)) symlinkSync(join(root, 'node_modules/@types', name), link)
}

/** Every file below a folder, by its path from there, with its size. */
export function filesBelow(folder: string): Map<string, number> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = names.map((name) => [name, statSync(join(folder, name))] as const).filter(([, stat]) => stat.isFile())
  return new Map(files.map(([name, stat]) => [name, stat.size]))
}

/** What the service depends on, beside the library. */
function dependenciesOfServer(): string[] {
  const manifest = readFileSync(join(root, 'packages/millpond-server/package.json'), 'utf8')
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> }
  return Object.keys(dependencies).filter((name) => name !== 'millpond')
}

/** Where this workspace has a package that the service depends on. */
function inWorkspace(name: string): string {
  const nested = join(root, 'packages/millpond-server/node_modules', name)
  return existsSync(nested) ? nested : join(root, 'node_modules', name)
}
