/**
 * Rules about imports: the direction of the layers (DESIGN.md section 2), what may be imported from outside, and how a
 * relative import is written.
 */
import { posix } from 'node:path'
import ts from 'typescript'
import { type Complaint, isProof, lineOf, type Rule, type Source, walk } from './source.ts'

/** What each layer may import besides itself. A file that is in no layer's folder is a layer by its own name. */
const MAY_IMPORT: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'packages/millpond/src': {
    core: [],
    memory: ['core'],
    cache: ['core', 'memory'],
    adapters: ['core', 'memory', 'cache'],
    stores: ['core'],
    feeds: ['core'],
    codecs: ['core'],
    // The mesh evicts and expires as the cache does: with the same tables.
    mesh: ['core', 'memory'],
    telemetry: ['core'],
    testing: ['core'],
    'index.ts': ['core', 'memory', 'cache'],
  },
  'packages/millpond-server/src': {
    engine: [],
    security: ['engine'],
    commands: ['engine', 'security'],
    backups: ['engine', 'commands'],
    protocols: ['engine', 'commands', 'security'],
    threads: ['engine', 'commands', 'protocols'],
    'server.ts': ['engine', 'commands', 'protocols', 'security', 'backups', 'threads'],
    cli: ['engine', 'commands', 'protocols', 'security', 'backups', 'server.ts'],
    console: [],
  },
}

/** Layers whose folders are siblings: each is an entry of its own. What they share lies above them. */
const FAMILIES = ['packages/millpond/src/feeds', 'packages/millpond/src/stores']

/** Layers that run in browsers too. */
const ANYWHERE = ['core', 'memory', 'cache', 'index.ts']
/** The file journal: an entry of its own that needs Node, although it lies in one of these layers. */
const NEEDS_NODE = /^packages\/millpond\/src\/cache\/(file-journal|journal-[\w-]+)\.ts$/

/** Layers import only what lies below them. */
export const direction: Rule = (source) => {
  const from = layerOf(source.path)
  if (from === undefined || isProof(source.path)) return []
  const allowed = MAY_IMPORT[from.root]![from.layer]
  if (allowed === undefined) {
    const known = Object.keys(MAY_IMPORT[from.root]!).join(', ')
    return [
      {
        path: source.path,
        line: 1,
        rule: 'layer',
        advice: `${from.layer} is no layer of ${from.root}; put the file into one of ${known}, or add the layer to DESIGN.md and tests/tidy/imports.ts`,
      },
    ]
  }
  return importsOf(source).flatMap(({ name, line }) => {
    if (!name.startsWith('.')) return []
    const target = posix.join(posix.dirname(source.path), name)
    const to = layerOf(target)
    if (to?.root === from.root && (to.layer === from.layer || allowed.includes(to.layer))) return []
    return [{ path: source.path, line, rule: 'import direction', advice: directionAdvice(from, to, allowed, name) }]
  })
}

/** Siblings of one layer do not know each other, and what they share knows none of them. */
export const siblings: Rule = (source) => {
  const layer = FAMILIES.find((folder) => source.path.startsWith(`${folder}/`))
  if (layer === undefined || isProof(source.path)) return []
  const own = familyOf(layer, source.path)
  return importsOf(source).flatMap(({ name, line }) => {
    const target = posix.join(posix.dirname(source.path), name)
    if (!name.startsWith('.') || !target.startsWith(`${layer}/`)) return []
    const other = familyOf(layer, target)
    if (other === undefined || other === own) return []
    const advice = `imports '${name}' of ${other}; move what is shared up to ${layer}, where ${other} imports it too`
    return [{ path: source.path, line, rule: 'siblings', advice }]
  })
}

/** The folder below the layer; `undefined` for what lies in the layer itself. */
function familyOf(layer: string, path: string): string | undefined {
  const [first, ...rest] = path.slice(layer.length + 1).split('/')
  return rest.length === 0 ? undefined : first
}

/** What the library takes from outside: nothing, but late, where a client or Node is what it is for. */
export const outside: Rule = (source) => {
  const from = layerOf(source.path)
  if (from?.root !== 'packages/millpond/src' || isProof(source.path)) return []
  const anywhere = ANYWHERE.includes(from.layer)
  return importsOf(source).flatMap(({ name, line, late, typeOnly }): Complaint[] => {
    const complain = (advice: string) => [{ path: source.path, line, rule: 'outside', advice }]
    if (name.startsWith('.') || name === 'millpond') return []
    if (name.startsWith('node:')) {
      if (!anywhere || typeOnly || NEEDS_NODE.test(source.path)) return []
      return complain(
        `imports '${name}', and ${from.layer} has to load in browsers; ask builtin('${name}') of core/platform.ts when it is needed`,
      )
    }
    if (late && !anywhere) return []
    return complain(
      `imports the package '${name}', and millpond has no dependencies; have it passed in, and declare the slice that is called as a type`,
    )
  })
}

/** A relative import names a file as it is. */
export const extension: Rule = (source) =>
  importsOf(source).flatMap(({ name, line }) =>
    !name.startsWith('.') || /\.(ts|json|mjs|html|css)$/.test(name)
      ? []
      : [
          {
            path: source.path,
            line,
            rule: 'import extension',
            advice: `write '${name.replace(/\.js$/, '')}.ts' instead of '${name}'`,
          },
        ],
  )

/** Examples show what a user can write: they import the packages by name. */
export const byName: Rule = (source) =>
  importsOf(source).flatMap(({ name, line }) =>
    source.path.startsWith('examples/') && posix.join(posix.dirname(source.path), name).startsWith('packages/')
      ? [
          {
            path: source.path,
            line,
            rule: 'import by name',
            advice: `import from 'millpond' or one of its entries instead of '${name}'`,
          },
        ]
      : [],
  )

interface Place {
  readonly root: string
  readonly layer: string
}

function layerOf(path: string): Place | undefined {
  const root = Object.keys(MAY_IMPORT).find((root) => path.startsWith(`${root}/`))
  return root === undefined ? undefined : { root, layer: path.slice(root.length + 1).split('/')[0]! }
}

function directionAdvice(from: Place, to: Place | undefined, allowed: readonly string[], name: string): string {
  if (to?.root !== from.root)
    return `imports '${name}', which is not published with the package; move what is needed into ${from.root}`
  const below = allowed.length === 0 ? 'nothing of the project' : `only ${allowed.join(', ')}`
  return `${from.layer} imports '${name}' of ${to.layer}, but may import ${below}; meet at a port in core, and have the implementation passed in as an option`
}

/** One import, export from, or late import. */
interface Import {
  readonly name: string
  readonly line: number
  readonly late: boolean
  /** Gone once compiled. */
  readonly typeOnly: boolean
}

function importsOf(source: Source): Import[] {
  const found: Import[] = []
  const add = (node: ts.Node | undefined, kind: { late?: boolean; typeOnly?: boolean }) => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return
    found.push({ name: node.text, line: lineOf(source, node.getStart()), late: false, typeOnly: false, ...kind })
  }
  if (source.tree === undefined) return found
  walk(source.tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, { typeOnly: node.importClause?.isTypeOnly === true })
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, { typeOnly: node.isTypeOnly })
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, { typeOnly: true })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], { late: true })
    }
  })
  return found
}
