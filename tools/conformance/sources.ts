/** Gets the sources of suites when they are run: source packages of the distribution, packages of npm. Kept in a cache folder. */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { NotHere } from './suite.ts'

/** Where downloads are kept between runs: `MILLPOND_CONFORMANCE`, else a folder of the user's cache. */
export const cacheFolder: string =
  process.env.MILLPOND_CONFORMANCE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millpond-conformance')

/** A fresh copy of a Debian source package's upstream tree; the caller may write into it, and removes it. */
export function debianSource(name: string, say: (line: string) => void): string {
  const kept = join(cacheFolder, `debian-${name}`)
  if (!existsSync(kept)) download(name, kept, say)
  const copy = mkdtempSync(join(tmpdir(), `millpond-${name}-`))
  cpSync(kept, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function download(name: string, target: string, say: (line: string) => void): void {
  say(`${name}: getting the source package with apt-get (nothing is installed)`)
  const dir = mkdtempSync(join(tmpdir(), 'millpond-apt-'))
  try {
    for (const folder of ['lists/partial', 'cache/archives/partial', 'tree']) {
      mkdirSync(join(dir, folder), { recursive: true })
    }
    writeFileSync(join(dir, 'sources.list'), sourceLines())
    try {
      apt(dir, 'update')
    } catch {
      // A mirror may lack the sources of some repositories: what was found is enough, or the next step says what is missing.
    }
    apt(dir, 'source', '--download-only', name)
    const archive = readdirSync(dir).find((file) => file.includes('.orig.tar.'))
    if (archive === undefined) throw new Error(`no upstream archive in ${readdirSync(dir).join(', ')}`)
    execFileSync('tar', ['-xf', join(dir, archive), '-C', join(dir, 'tree'), '--strip-components=1'])
    mkdirSync(cacheFolder, { recursive: true })
    rmSync(target, { recursive: true, force: true })
    cpSync(join(dir, 'tree'), `${target}.new`, { recursive: true, verbatimSymlinks: true })
    renameSync(`${target}.new`, target)
  } catch (error) {
    throw new NotHere(`the source package ${name} cannot be had with apt-get: ${(error as Error).message}`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The repositories of the distribution that apt already uses, as source repositories. */
function sourceLines(): string {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const targets = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  })
  const keyring = ['debian', 'ubuntu']
    .map((vendor) => `/usr/share/keyrings/${vendor}-archive-keyring.gpg`)
    .find(existsSync)
  const options = keyring === undefined ? '' : `[signed-by=${keyring}] `
  const lines = targets
    .trim()
    .split('\n')
    .filter((line) => /debian|ubuntu/.test(line))
  return [...new Set(lines)].map((line) => `deb-src ${options}${line}\n`).join('')
}

function apt(dir: string, ...args: string[]): void {
  const options = {
    'Dir::Etc::sourcelist': join(dir, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::Cache': join(dir, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  execFileSync('apt-get', [...flags, ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 })
}

/** Packages of npm in a folder of their own, by exact names and versions. */
export function npmFolder(name: string, packages: readonly string[], say: (line: string) => void): string {
  const folder = join(cacheFolder, `npm-${name}`)
  if (existsSync(join(folder, 'node_modules'))) return folder
  say(`${name}: installing ${packages.join(', ')} into ${folder}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  try {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw new NotHere(`${packages.join(', ')} cannot be had from npm: ${(error as Error).message}`)
  }
  return folder
}

/** A repository at a tag, in a fresh folder; `from`: a clone of it that is here already, bare or not. */
export function gitSource(
  name: string,
  repository: string,
  tag: string,
  from: string | undefined,
  say: (line: string) => void,
): string {
  const folder = join(cacheFolder, `git-${name}`)
  if (existsSync(folder)) return folder
  say(`${name}: getting ${from ?? repository} at ${tag}`)
  mkdirSync(folder, { recursive: true })
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  try {
    if (from === undefined) {
      const branch = tag === 'HEAD' ? [] : ['--branch', tag]
      const url = `https://github.com/${repository}`
      execFileSync('git', ['clone', '--quiet', '--depth', '1', ...branch, url, folder], {
        stdio: [...stdio],
        timeout: 300_000,
      })
    } else {
      // Documents are left out: a clone may lack what is large.
      const files = ['.', ':!docs', ':!**/*.png', ':!**/*.gif']
      const archive = execFileSync('git', ['archive', tag, ...files], {
        cwd: from,
        maxBuffer: 2 ** 29,
        stdio: [...stdio],
      })
      execFileSync('tar', ['-x', '-C', folder], { input: archive })
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw new NotHere(`${repository} cannot be had (give a clone of it by --from): ${(error as Error).message}`)
  }
  return folder
}

/** Installs what a repository's package.json names, or only the packages that are given: its tests need few of them. */
export function npmInstall(folder: string, only: readonly string[], say: (line: string) => void): string {
  if (existsSync(join(folder, 'node_modules'))) return folder
  say(`installing packages of npm into ${folder}`)
  try {
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps', '--no-package-lock']
    if (only.length > 0) omitDependencies(folder)
    execFileSync('npm', ['install', ...flags, ...only], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 600_000,
    })
  } catch (error) {
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
    throw new NotHere(`packages for ${folder} cannot be had from npm: ${(error as Error).message}`)
  }
  return folder
}

/** What the package itself needs stays. */
function omitDependencies(folder: string): void {
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  delete manifest.devDependencies
  // A package that is a peer of the root and asked for as well is more than npm 10 can resolve.
  delete manifest.peerDependencies
  writeFileSync(file, JSON.stringify(manifest, undefined, 2))
}

/** Makes a virtual environment of Python in a folder, with packages. */
export function pythonFolder(folder: string, packages: readonly string[], say: (line: string) => void): string {
  if (existsSync(join(folder, 'venv'))) return folder
  say(`installing packages of Python into ${folder}`)
  try {
    execFileSync('python3', ['-m', 'venv', 'venv'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const args = ['-m', 'pip', 'install', '--quiet', ...packages]
    execFileSync('venv/bin/python', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 })
  } catch (error) {
    rmSync(join(folder, 'venv'), { recursive: true, force: true })
    rmSync(join(folder, 'venv'), { recursive: true, force: true })
    throw new NotHere(`packages of Python for ${folder} cannot be had: ${(error as Error).message}`)
  }
  return folder
}
