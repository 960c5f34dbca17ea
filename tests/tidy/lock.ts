/** Rules about package-lock.json: `npm ci` accepts it on every platform, and it names no registry. */

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly link?: boolean
  readonly resolved?: string
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** What is wrong with a lock file, one line each; none means that `npm ci` will take it. */
export function lockFaults(text: string): string[] {
  const { packages } = JSON.parse(text) as Lock
  const installed = Object.entries(packages).filter(
    ([path, { link }]) => path.includes('node_modules/') && link !== true,
  )
  return [
    ...installed
      .filter(([, { resolved }]) => resolved !== undefined)
      .map(
        ([path, { resolved }]) =>
          `${path} names ${resolved}; install with omit-lockfile-registry-resolved, as .npmrc has it`,
      ),
    ...installed
      .filter(([, { integrity }]) => integrity === undefined)
      .map(([path]) => `${path} has no integrity; delete package-lock.json and run npm install --package-lock-only`),
    ...Object.entries(packages).flatMap(([path, locked]) => missing(path, locked, packages)),
  ]
}

/** npm leaves out an optional package that it cannot fetch when it writes the lock, and then `npm ci` refuses the lock. */
function missing(path: string, locked: LockedPackage, packages: Lock['packages']): string[] {
  return Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })
    .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
    .map(
      (name) => `${path} needs ${name}, which is not locked; take a version of it all of whose packages can be fetched`,
    )
}

/** Where Node would look for a dependency of the package at `path`: '', 'a/', 'a/node_modules/b/' and so on. */
function foldersAbove(path: string): string[] {
  const parts = path === '' ? [] : path.split('/')
  return parts.map((_, at) => `${parts.slice(0, at + 1).join('/')}/`).concat('')
}
