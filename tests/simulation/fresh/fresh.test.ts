/**
 * The history checker of cached SQL: real processes with caches over real servers, faults, and a judge of all that was read.
 * `MILLPOND_SEED=17` plays the storms of that seed; `npm run bench -- fresh-checker` plays for ten minutes, and with
 * `--mutants` every weakness on both servers.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { describeViolation } from './judge.ts'
import { MUTANTS, type MutantName, mutantLibrary, REQUIRED } from './mutants.ts'
import { SCENARIOS } from './scenarios.ts'
import { Stage } from './stage.ts'
import { storm } from './storm.ts'

const SEED = Number(process.env.MILLPOND_SEED ?? Date.now() % 1_000_000)
const STORM_MS = 6000

describe('no read breaks its promise', () => {
  const stage = new Stage('embedded')
  afterAll(() => stage.end())

  test.each(SCENARIOS)('$name', { timeout: 60_000 }, async (scenario) => {
    const verdict = await stage.play(scenario)
    expect(verdict.violations.map(describeViolation)).toEqual([])
    expect(verdict.reads).toBeGreaterThan(0)
  })

  test.each(['system', 'embedded'] as const)(
    `a storm of faults (%s), seed ${SEED}`,
    { timeout: 180_000 },
    async (binaries) => {
      const { verdict, writes, faults, settings } = await storm({ seed: SEED, binaries, durationMs: STORM_MS })
      const played = `seed ${SEED}, ${JSON.stringify({ settings, faults })}`
      expect(verdict.violations.map(describeViolation), played).toEqual([])
      // Who never hits proves nothing.
      const { bounded, rest } = verdict.hits
      expect(bounded, played).toBeGreaterThan(20)
      expect(rest, played).toBeGreaterThan(20)
      expect(writes, played).toBeGreaterThan(20)
    },
  )
})

describe('the checker has teeth: it notices', () => {
  const stage = new Stage('system')
  afterAll(() => stage.end())
  const plays = SCENARIOS.flatMap((scenario) => scenario.kills.map((mutant) => ({ mutant, scenario })))

  test.each(plays)('$mutant', { timeout: 60_000 }, async ({ mutant, scenario }) => {
    expect((await stage.play(scenario, mutant)).violations).not.toEqual([])
  })

  test('every mutant that there is, and those that it has to', () => {
    const played = plays.map(({ mutant }) => mutant).sort()
    expect(played).toEqual((Object.keys(MUTANTS) as MutantName[]).sort())
    expect(played).toEqual(expect.arrayContaining([...REQUIRED]))
  })

  test('a mutant that does not fit the sources any more is an error', () => {
    const name = 'not there' as MutantName
    Object.assign(MUTANTS, { [name]: [{ file: 'index.ts', from: 'no such line', to: '' }] })
    try {
      expect(() => mutantLibrary(name)).toThrow(/does not fit any more: index.ts has 0 times/)
    } finally {
      Reflect.deleteProperty(MUTANTS, name)
    }
  })
})
