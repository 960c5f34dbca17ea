/** Rules about tests: all of them run, and nothing in the workspace depends on the machine that it was written on. */
import ts from 'typescript'
import { type Complaint, lineOf, type Rule, walk } from './source.ts'

const LEFT_OUT = ['only', 'skip', 'todo', 'skipIf', 'runIf', 'fails']
const SUITES = ['test', 'it', 'describe', 'suite', 'bench']

/** No test is left out, or run alone. */
export const everyTestRuns: Rule = (source) => {
  const complaints: Complaint[] = []
  if (source.tree === undefined) return complaints
  walk(source.tree, (node) => {
    if (!ts.isPropertyAccessExpression(node) || !LEFT_OUT.includes(node.name.text)) return
    const suite = leftmost(node.expression)
    if (!SUITES.includes(suite)) return
    const advice = `${suite}.${node.name.text} leaves tests out; make the test pass and run it, or delete it`
    complaints.push({ path: source.path, line: lineOf(source, node.getStart()), rule: 'every test runs', advice })
  })
  return complaints
}

/** `test` of `test.concurrent.skip`. */
function leftmost(expression: ts.Expression): string {
  if (ts.isPropertyAccessExpression(expression)) return leftmost(expression.expression)
  return ts.isIdentifier(expression) ? expression.text : ''
}

/** Folders of one machine, and hosts of package registries: of the registry's own or of a mirror. */
const OF_A_MACHINE: readonly [pattern: RegExp, instead: string][] = [
  [/(?<![\w.~:*/-])\/(?:work|root|home|Users|tmp)\/[\w.$-]+/g, 'a path relative to the file, or os.tmpdir()'],
  [
    /\b(?:registry\.[\w-]+\.\w+|deb\.debian\.org|archive\.ubuntu\.com)\b/g,
    'nothing: npm and apt know where they fetch from',
  ],
]

/** No committed file names a folder or a registry host of the machine that it was written on. */
export const noMachine: Rule = (source) =>
  OF_A_MACHINE.flatMap(([pattern, instead]) =>
    [...source.text.matchAll(pattern)].map(
      (match): Complaint => ({
        path: source.path,
        line: lineOf(source, match.index),
        rule: 'no machine',
        advice: `'${match[0]}' is of one machine; write ${instead}`,
      }),
    ),
  )
