/** Reads the reports of test runners. */
import type { Failure, Outcome } from './suite.ts'

/** A run that left no report: what it printed last says why. */
function unreadable(output: string): Outcome {
  return { passed: [], failed: [{ name: 'the suite did not run to its end', why: output.slice(-3000) }], notRun: [] }
}

interface MochaTest {
  readonly fullTitle: string
  readonly err?: { readonly message?: string }
}

export function mocha(report: string, output: string): Outcome {
  if (report === '') return unreadable(output)
  const { passes, failures, pending } = JSON.parse(report) as Record<'passes' | 'failures' | 'pending', MochaTest[]>
  return {
    passed: passes.map(({ fullTitle }) => fullTitle),
    failed: failures.map(({ fullTitle, err }) => ({ name: fullTitle, why: err?.message ?? '' })),
    notRun: pending.map(({ fullTitle }) => fullTitle),
  }
}

interface VitestFile {
  readonly name: string
  readonly message?: string
  readonly assertionResults: readonly {
    readonly fullName: string
    readonly status: string
    readonly failureMessages?: readonly string[]
  }[]
}

export function vitest(report: string, output: string): Outcome {
  if (report === '') return unreadable(output)
  const { testResults } = JSON.parse(report) as { testResults: readonly VitestFile[] }
  const passed: string[] = []
  const failed: Failure[] = []
  const notRun: string[] = []
  for (const { name: file, message, assertionResults } of testResults) {
    if (assertionResults.length === 0) failed.push({ name: file, why: message ?? '' })
    for (const { fullName, status, failureMessages } of assertionResults) {
      if (status === 'passed') passed.push(fullName)
      else if (status === 'failed') failed.push({ name: fullName, why: failureMessages?.[0] ?? '' })
      else notRun.push(fullName)
    }
  }
  return { passed, failed, notRun }
}

/** JUnit's XML, as pytest writes it. */
export function pytest(report: string, output: string): Outcome {
  if (report === '') return unreadable(output)
  const passed: string[] = []
  const failed: Failure[] = []
  const notRun: string[] = []
  const cases = /<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g
  for (const [, place, test, inside = ''] of report.matchAll(cases)) {
    const name = `${place} ${test}`
    const problem = /<(failure|error) message="([^"]*)"/.exec(inside)
    if (problem) failed.push({ name, why: problem[2]! })
    else if (inside.includes('<skipped')) notRun.push(name)
    else passed.push(name)
  }
  return { passed, failed, notRun }
}

/** resp-compatibility prints a count, and the cases that failed. */
export function respCompatibility(_report: string, output: string): Outcome {
  const [, total, passedCount] = /total tests: (\d+), passed: (\d+)/.exec(output) ?? []
  if (total === undefined) return unreadable(output)
  const failed = [...output.matchAll(/^(?:FailedTest|failed)\S* ?(.*)$/gim)].map(([line]) => ({ name: line, why: '' }))
  const missing = Number(total) - Number(passedCount) - failed.length
  for (let at = 0; at < missing; at++) failed.push({ name: `case ${at + 1} that was not named`, why: '' })
  return { passed: Array.from({ length: Number(passedCount) }, (_, at) => `case ${at + 1}`), failed, notRun: [] }
}
