/** The files of the workspace as the house rules see them: path, text and, for TypeScript, the syntax tree. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A file of the workspace. `path` is relative to its root, with `/`. */
export interface Source {
  readonly path: string
  readonly text: string
  /** Only of TypeScript files. */
  readonly tree?: ts.SourceFile
}

/** Something that a rule found, with what to write instead. */
export interface Complaint {
  readonly path: string
  readonly line: number
  /** Which rule, in a word or two. */
  readonly rule: string
  /** What was found, and what to do instead. */
  readonly advice: string
}

/** One house rule, over one file. */
export type Rule = (source: Source) => Complaint[]

/** Makes a source of text, for rules' own tests. */
export function sourceOf(path: string, text: string): Source {
  if (!path.endsWith('.ts')) return { path, text }
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true) }
}

/** Folders and files that are made by tools, or are binary. */
const IGNORED =
  /(^|\/)(node_modules|dist|coverage|\.git|\.cache|docs\/api|package-lock\.json)$|\.(tgz|log|png|ico|gz|kept)$/

/** Reads every file of the workspace below `root`. */
export function readSources(root: string, folder = ''): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (IGNORED.test(path)) return []
    if (entry.isDirectory()) return readSources(root, path)
    return entry.isFile() ? [sourceOf(path, readFileSync(join(root, path), 'utf8'))] : []
  })
}

/** Whether a file is a test, a bench or what only they use: it is not part of a package. */
export function isProof(path: string): boolean {
  return /\.(test|test-d|bench|fixture)\.ts$/.test(path)
}

/** The line of a place in a source, from 1. */
export function lineOf(source: Source, position: number): number {
  return source.text.slice(0, position).split('\n').length
}

/** Calls `visit` on every node of a tree, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** As a person reads it. */
export function show({ path, line, rule, advice }: Complaint): string {
  return `${path}:${line} ${rule}: ${advice}`
}
