/**
 * `npm run conformance -- <suite>`: tests that others wrote, against a server that is started for them. Prints counts, the
 * names of what failed, and the share of what the original passes; ends with 1 where a test fails that the original passes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { useThreads } from './contender.ts'
import { reasonFor } from './exceptions.ts'
import { cacheFolder } from './sources.ts'
import { NotHere, type Outcome, type Request, type Suite } from './suite.ts'
import { SUITES } from './suites.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    units: { type: 'string', default: '' },
    against: { type: 'string', default: 'millpond' },
    from: { type: 'string' },
    threads: { type: 'string', default: '1' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const suites = SUITES.filter(({ name }) => positionals.includes(name) || positionals.includes('all'))
if (values.help || suites.length === 0) {
  console.log('npm run conformance -- <suite> [--units a,b] [--against millpond|redis] [--from folder] [--threads N]\n')
  for (const { name, summary } of SUITES) console.log(`  ${name.padEnd(24)}${summary}`)
  process.exit(values.help ? 0 : 2)
}

useThreads(Number(values.threads))
let wrong = 0
for (const suite of suites) wrong += await judge(suite)
process.exit(wrong === 0 ? 0 : 1)

/** Runs one suite, prints what came of it, and returns how many tests failed that the original passes. */
async function judge(suite: Suite): Promise<number> {
  const request: Request = {
    contender: values.against === 'redis' ? 'redis' : 'millpond',
    units: values.units === '' ? [] : values.units.split(','),
    from: values.from,
    say: (line) => values.quiet || console.log(`  ${line}`),
  }
  console.log(`${suite.name}: ${suite.summary}`)
  try {
    const outcome = await suite.run(request)
    const baseline = request.contender === 'redis' ? undefined : await baselineOf(suite, request)
    return report(suite.name, outcome, baseline)
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    console.log(`${suite.name}: not run: ${error.message}`)
    return 0
  }
}

/** What the original passes here, by unit or whole: measured once, then kept. */
async function baselineOf(suite: Suite, request: Request): Promise<ReadonlySet<string>> {
  const names: string[] = []
  for (const unit of request.units.length > 0 ? request.units : (suite.units ?? [''])) {
    const file = join(cacheFolder, 'baseline', `${suite.name}-${unit.replaceAll('/', '_') || 'all'}.json`)
    if (!existsSync(file)) {
      console.log(`  ${unit || suite.name}: measuring the original once`)
      const outcome = await suite.run({ ...request, contender: 'redis', units: unit === '' ? [] : [unit] })
      if (outcome.failed.some(({ name }) => name.includes('did not')))
        throw new NotHere(`the original could not be measured: ${outcome.failed.at(-1)!.why}`)
      mkdirSync(join(cacheFolder, 'baseline'), { recursive: true })
      writeFileSync(file, JSON.stringify(outcome.passed))
    }
    names.push(...(JSON.parse(readFileSync(file, 'utf8')) as string[]))
  }
  return new Set(names)
}

function report(name: string, { passed, failed, notRun }: Outcome, baseline: ReadonlySet<string> | undefined): number {
  for (const { name: test, why } of failed)
    console.log(`  failed: ${test}\n    ${why.split('\n').slice(0, 12).join('\n    ')}`)
  console.log(`${name}: ${passed.length} passed, ${failed.length} failed, ${notRun.length} not run`)
  if (baseline === undefined) return failed.length
  const done = new Set(passed)
  const missing = [...baseline].filter((test) => !done.has(test))
  const known = new Set(failed.map(({ name: test }) => test))
  const wrong = missing.filter((test) => reasonFor(name, test) === undefined)
  for (const test of wrong) if (!known.has(test)) console.log(`  not reached: ${test}`)
  tellExceptions(name, missing)
  console.log(`${name}: ${share(missing, baseline)} of the ${baseline.size} that the original passes here`)
  if (wrong.length < missing.length) {
    const asked = new Set([...baseline].filter((test) => reasonFor(name, test) === undefined))
    console.log(`${name}: ${share(wrong, asked)} of the ${asked.size} of them that are asked`)
  }
  return wrong.length
}

function share(missing: readonly string[], all: ReadonlySet<string>): string {
  return `${((all.size === 0 ? 1 : 1 - missing.length / all.size) * 100).toFixed(1)} %`
}

/** What is not asked, under its reasons. */
function tellExceptions(name: string, missing: readonly string[]): void {
  const reasons = new Map<string, string[]>()
  for (const test of missing) {
    const reason = reasonFor(name, test)
    if (reason !== undefined) reasons.set(reason, [...(reasons.get(reason) ?? []), test])
  }
  for (const [reason, tests] of reasons) {
    console.log(`  not asked, because ${reason}:\n${tests.map((test) => `    ${test}`).join('\n')}`)
  }
}
