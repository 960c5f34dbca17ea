/** Which servers a set of test files needs: those whose launcher a file imports, itself or through other files. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Names of `kinds` in the order given, for which `<launchers>/<name>.ts` is reached by an import of one of `files`. */
export function neededServers(files: readonly string[], launchers: string, kinds: readonly string[]): string[] {
  const reached = new Set<string>()
  const waiting = files.map((file) => resolve(file))
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file) || !existsSync(file)) continue
    reached.add(file)
    waiting.push(...relativeImports(file))
  }
  return kinds.filter((name) => reached.has(resolve(join(launchers, `${name}.ts`))))
}

/** Paths that a file imports or loads late by a relative name. Everything else is a package, which starts no server. */
function relativeImports(file: string): string[] {
  const names = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)
  return [...names].map((match) => resolve(dirname(file), match[1]!))
}
