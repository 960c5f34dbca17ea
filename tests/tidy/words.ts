/** One word per concept: the table of STYLE.md, where a word left aside has no honest other use in a name of ours. */
import { basename } from 'node:path'
import ts from 'typescript'
import { type Complaint, isProof, lineOf, type Rule, type Source, walk } from './source.ts'

/**
 * Words left aside, as they stand in a name between capitals, and what to write. Left out of the table are those that
 * also mean something else: wrap, fetch, remember, lock, node, host, cost, group, region, offset, sync, layer, factory.
 */
const INSTEAD: Readonly<Record<string, string>> = {
  getter: 'load',
  'write back': 'writeBehind',
  prefetch: 'refreshAhead',
  'max age': 'ttl',
  sliding: 'idle',
  grace: 'staleIfError or staleWhileRevalidate',
  'fail safe': 'staleIfError',
  swr: 'staleWhileRevalidate',
  dedupe: 'SingleFlight',
  dedup: 'SingleFlight',
  mutex: 'SingleFlight or Lease',
  'null caching': 'negativeTtl',
  l1: 'near',
  l2: 'tier',
  driver: 'Store',
  backend: 'Store',
  backplane: 'Bus',
  notifier: 'Bus',
  cdc: 'Feed',
  purge: 'delete, evict, expire or invalidate',
  bust: 'invalidate',
  'max cost': 'maxWeight',
  reconcile: 'antiEntropy',
  revision: 'version',
  serializer: 'Codec',
  shutdown: 'drain or close',
}

/** A command is called as its protocol calls it, and so is its file, its function and what it sets. */
const COMMANDS = /^packages\/millpond-server\/src\/commands\//
const OF_PROTOCOLS = ['shutdown', 'purge']

/** Names that a package declares, and its files' names, use the words of STYLE.md. */
export const words: Rule = (source) => {
  if (!/^packages\/[^/]+\/src\//.test(source.path) || isProof(source.path)) return []
  return [{ name: basename(source.path, '.ts'), line: 1 }, ...declaredNames(source)].flatMap(({ name, line }) => {
    const text = ` ${wordsOf(name).join(' ')} `
    return Object.entries(INSTEAD)
      .filter(([word]) => text.includes(` ${word} `) && !(OF_PROTOCOLS.includes(word) && COMMANDS.test(source.path)))
      .map(([word, instead]): Complaint => {
        const advice = `'${name}' says "${word}"; the word here is ${instead} (STYLE.md, one word per concept)`
        return { path: source.path, line, rule: 'words', advice }
      })
  })
}

/** `maxAgeMs` and `max-age-ms` are max, age, ms. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

/** Names that the file itself chooses. Those that it only uses belong to others. */
function declaredNames(source: Source): { name: string; line: number }[] {
  const names: { name: string; line: number }[] = []
  if (source.tree === undefined) return names
  walk(source.tree, (node) => {
    const name = isDeclaration(node) ? node.name : undefined
    if (name === undefined || !(ts.isIdentifier(name) || ts.isPrivateIdentifier(name))) return
    names.push({ name: name.text, line: lineOf(source, name.getStart()) })
  })
  return names
}

function isDeclaration(node: ts.Node): node is ts.Node & { name?: ts.Node } {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isMethodSignature(node) ||
    ts.isMethodDeclaration(node)
  )
}
