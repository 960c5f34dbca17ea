import { expect } from 'vitest'
import type { Outcome } from './trial.ts'

/** Default of `storeTimeout`. */
const STORE_TIMEOUT_MS = 50
/** What a machine that does other things too may be late by, a recovery by more. `npm run bench -- outages` has the figures without it. */
const MARGIN_MS = 250
const RECOVERY_MS_MAX = 2000 + 1500

/**
 * What holds in every outage: bounded waits, no rejection, nothing lost, the store in use again within two seconds; or within
 * `recoveryMsMax`, where a client of the application's own takes longer to find its server.
 */
export function expectHarmless(outcome: Outcome, recoveryMsMax: number = RECOVERY_MS_MAX): void {
  const { during, after, recoveryMs, lost } = outcome
  for (const seen of [during, after]) {
    expect(seen.requests).toBeGreaterThan(50)
    expect(seen.failed).toBe(0)
    expect(seen.readMs).toBeLessThan(STORE_TIMEOUT_MS + MARGIN_MS)
    expect(seen.openReadMs).toBeLessThan(MARGIN_MS)
    expect(seen.deleteMs).toBeLessThan(STORE_TIMEOUT_MS + MARGIN_MS)
  }
  expect(lost).toEqual([])
  expect(recoveryMs).toBeLessThan(recoveryMsMax)
}

/** As `expectHarmless`, where the store was missed meanwhile, with an error that says so. */
export function expectOutage(outcome: Outcome, error: RegExp, recoveryMsMax?: number): void {
  expectHarmless(outcome, recoveryMsMax)
  expect(outcome.allOpened).toBe(true)
  expect(outcome.errors.join('\n')).toMatch(error)
}
