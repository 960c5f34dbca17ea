/** The runner: `npm run bench -- <suite>` measures one suite, prints its table and writes JSON where asked. */

import { readdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine } from './machine.ts'
import { reportJson } from './report.ts'
import type { Suite, SuiteContext } from './suite.ts'
import { table } from './table.ts'

const OPTIONS = {
  json: { type: 'string', summary: 'FILE: writes the rows as JSON' },
  rounds: { type: 'string', summary: 'N: how many rounds count; more rounds, steadier medians' },
  quick: { type: 'boolean', summary: 'fewer rounds and smaller sizes: to try a suite, not to quote' },
  help: { type: 'boolean', summary: 'this list' },
} as const

const SUITES = new URL('./suites/', import.meta.url)

/** The command line asks for something that there is not: told without a stack. */
class UsageError extends Error {}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof UsageError ? error.message : error)
  return 1
})

async function main(words: readonly string[]): Promise<number> {
  const name = words[0]
  if (name === undefined || name.startsWith('-')) {
    console.log(await listing())
    return 0
  }
  const suite = await find(name)
  const { values, positionals } = parse(suite, words.slice(1))
  if (values.help) {
    console.log(describe(suite).join('\n'))
    return 0
  }
  await measure(suite, values, positionals)
  return 0
}

async function measure(suite: Suite, values: Values, words: readonly string[]): Promise<void> {
  const notes: string[] = []
  const rows = await suite.run(context(values, words, notes))
  const on = machine()
  console.log(`\n${suite.name}: ${suite.summary}\nnode ${on.node}, ${on.cpu}, ${on.cores} cores, ${on.platform}\n`)
  console.log(table(rows))
  for (const note of notes) console.log(`\n${note}`)
  const file = values.json
  if (typeof file === 'string') {
    await writeFile(file, reportJson(suite.name, on, rows))
  }
}

type Values = Readonly<Record<string, string | boolean | undefined>>

function context(values: Values, words: readonly string[], notes: string[]): SuiteContext {
  const quick = values.quick === true
  const asked = values.rounds === undefined ? undefined : Number(values.rounds)
  if (asked !== undefined && !(Number.isInteger(asked) && asked > 0)) {
    throw new UsageError(`--rounds ${String(values.rounds)}: give a whole number of at least 1`)
  }
  return {
    quick,
    options: values,
    words,
    rounds: (normal) => asked ?? (quick ? Math.max(3, Math.round(normal / 4)) : normal),
    progress: (line) => console.error(`  ${line}`),
    note: (line) => notes.push(line),
  }
}

function parse(suite: Suite, words: string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: words, options: { ...OPTIONS, ...suite.options }, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${describe(suite).join('\n')}`)
  }
}

async function find(name: string): Promise<Suite> {
  const names = await suiteNames()
  if (names.includes(name)) return loadSuite(name)
  throw new UsageError(`there is no suite ${name}; there are: ${names.join(', ')}`)
}

/** Every file of suites/ is a suite; folders there hold the helpers of one. */
async function suiteNames(): Promise<string[]> {
  const files = (await readdir(SUITES)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  return files.map((file) => file.slice(0, -'.ts'.length)).sort()
}

async function loadSuite(name: string): Promise<Suite> {
  const { suite } = (await import(new URL(`${name}.ts`, SUITES).href)) as { suite: Suite }
  return suite
}

async function listing(): Promise<string> {
  const suites = await Promise.all((await suiteNames()).map(loadSuite))
  return [
    'npm run bench -- <suite> [options]',
    '',
    'Suites',
    ...suites.flatMap(describe),
    '',
    'Options',
    ...options(OPTIONS),
  ].join('\n')
}

function describe(suite: Suite): string[] {
  return [`  ${suite.name.padEnd(12)} ${suite.summary}`, ...options(suite.options ?? {}, ' '.repeat(13))]
}

function options(all: NonNullable<Suite['options']>, indent = ''): string[] {
  return Object.entries(all).map(([name, { summary }]) => `${indent}  --${name.padEnd(9)} ${summary}`)
}
