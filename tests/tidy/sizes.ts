/** How long files and functions are: a report, and a complaint where the length is absurd. */
import ts from 'typescript'
import { type Complaint, isProof, lineOf, type Rule, type Source, walk } from './source.ts'

const FILE_LINES_MAX = 600
const FUNCTION_LINES_MAX = 150

interface Measured {
  readonly path: string
  readonly line: number
  readonly name: string
  readonly lines: number
}

/** A file or function that nobody can hold in mind is split. Bodies of `describe` are not functions in this sense. */
export const sizes: Rule = (source) => {
  if (source.tree === undefined) return []
  const complain = (line: number, what: string): Complaint => {
    return { path: source.path, line, rule: 'size', advice: `${what}; split it by the ideas in it` }
  }
  const lines = linesOf(source)
  const file = lines > FILE_LINES_MAX ? [complain(1, `${lines} lines, at most ${FILE_LINES_MAX}`)] : []
  if (isProof(source.path)) return file
  const long = functionsOf(source).filter((measured) => measured.lines > FUNCTION_LINES_MAX)
  return [
    ...file,
    ...long.map(({ line, name, lines }) => complain(line, `${name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}`)),
  ]
}

/** The shape of the packages' code in a few lines, beside what STYLE.md admires. */
export function sizeReport(sources: readonly Source[]): string {
  const code = sources.filter(({ path, tree }) => tree && /^packages\/[^/]+\/src\//.test(path) && !isProof(path))
  const files = code.map((source) => ({ path: source.path, line: 1, name: source.path, lines: linesOf(source) }))
  const functions = code.flatMap(functionsOf)
  return [
    `${files.length} files: median ${quantile(files, 0.5)} lines (60 to 170 is admired), 9 in 10 up to ${quantile(files, 0.9)}`,
    ...longest(files, 5).map(({ path, lines }) => `  ${lines}  ${path}`),
    `${functions.length} functions: median ${quantile(functions, 0.5)} lines (5 to 8), 9 in 10 up to ${quantile(functions, 0.9)} (25 to 40)`,
    ...longest(functions, 5).map(({ path, line, name, lines }) => `  ${lines}  ${name} (${path}:${line})`),
  ].join('\n')
}

function linesOf({ text }: Source): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

function functionsOf(source: Source): Measured[] {
  const found: Measured[] = []
  if (source.tree === undefined) return found
  walk(source.tree, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return
    const line = lineOf(source, node.getStart())
    const lines = lineOf(source, node.end) - line + 1
    found.push({ path: source.path, line, name: nameOf(node), lines })
  })
  return found
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name !== undefined) return node.name.getText()
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : 'a function without a name'
}

function quantile(measured: readonly Measured[], share: number): number {
  const lines = measured.map((one) => one.lines).sort((a, b) => a - b)
  return lines[Math.floor((lines.length - 1) * share)] ?? 0
}

function longest(measured: readonly Measured[], count: number): Measured[] {
  return measured.toSorted((a, b) => b.lines - a.lines).slice(0, count)
}
