/** A vitest reporter that writes how many tests passed and failed to the file that MILLPOND_TEST_COUNTS names. */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/** What came out of a run. A file, suite or hook that failed, and an error outside any test, each count as failed. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
}

/** Counts modules as vitest hands them over at the end of a run. */
export function countTests(modules: readonly TestModule[], errorsOutside: number): TestCounts {
  let passed = 0
  let failed = errorsOutside
  for (const module of modules) {
    const failedBefore = failed
    failed += module.errors().length
    for (const suite of module.children.allSuites()) failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed++
      // `pending` at the end of a run: it was cut short.
      else if (state !== 'skipped') failed++
    }
    if (module.state() === 'failed' && failed === failedBefore) failed++
  }
  return { passed, failed }
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errorsOutside: readonly unknown[]): void {
    const file = process.env.MILLPOND_TEST_COUNTS
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(modules, errorsOutside.length)))
  }
}
