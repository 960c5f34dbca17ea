/** The blocks of TypeScript in our pages, each made a module of its own whose line numbers are those of the page. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorld } from './world.ts'

/** One block. */
export interface Snippet {
  /** Page and line, for example `README.md:12`. */
  readonly place: string
  /** Name of its module in the folder, for example `README-12.ts`. */
  readonly file: string
  readonly code: string
  /** Whether it is run as well; a block that begins with three backticks and `ts check` is compiled only. */
  readonly runs: boolean
  /** What it prints, one line a `console.log(...) // what it prints`. */
  readonly prints: readonly string[]
}

const BLOCK = /^```ts( check)?\n([\s\S]*?)^```$/gm

/** The blocks of a page, in their order. */
export function snippetsOf(root: string, page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(BLOCK)].map(({ 1: check, 2: code, index }) => {
    const line = text.slice(0, index).split('\n').length + 1
    const file = `${page.replace(/\.md$/, '').replaceAll('/', '-')}-${line}.ts`
    const prints = [...code!.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1]!)
    return { place: `${page}:${line}`, file, code: moduleOf(code!, line), runs: check === undefined, prints }
  })
}

/** Writes the modules to a new folder inside `parent`, from where packages are found, with what compiles them. */
export function writeSnippets(parent: string, snippets: readonly Snippet[]): string {
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'docs-'))
  for (const { file, code } of snippets) writeFileSync(join(folder, file), code)
  const config = { extends: '../../../tsconfig.base.json', compilerOptions: { noEmit: true }, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  return folder
}

/** A page leaves out what every reader can imagine, such as `db`: the first line brings what the block does not declare. */
function moduleOf(code: string, line: number): string {
  const names = Object.keys(makeWorld()).filter((name) => uses(code, name) && !declares(code, name))
  const world =
    names.length === 0
      ? 'export {}'
      : `import { makeWorld } from '../../docs/world.ts'; const { ${names.join(', ')} } = makeWorld()`
  return `${world}${'\n'.repeat(line - 1)}${code}`
}

function uses(code: string, name: string): boolean {
  return new RegExp(`(?<![.\\w'"\`-])${name}\\b(?!\\??:)`).test(code)
}

function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:const|let|using|function|class|import) (?:\\{[^}\\n]*)?\\b${name}\\b`).test(code)
}
