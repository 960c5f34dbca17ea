/**
 * MongoDB under faults: writers, readers and two caches while connections, cursors and the log are lost, primaries are elected
 * and secondaries lag. On the test server (tools/servers/mongo.ts), as a real one does not fail when it is told to.
 */
import { describe, expect, test } from 'vitest'
import { describeViolation } from './fresh/judge.ts'
import type { Mutant } from './mongo/mutants.ts'
import { runRace } from './mongo/race.ts'
import { playScene, scenes } from './mongo/scenes.ts'

const SECONDS = 20

test('a storm: no hit over the bound, no own write missed, nothing wrong at rest, no read without an answer', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.MILLPOND_SEED ?? Date.now() % 1_000_000)
  console.log(`MILLPOND_SEED=${seed}`)
  const { verdict, wrongAtRest, hung, ...counts } = await runRace({ seed, seconds: SECONDS })
  console.log(JSON.stringify({ reads: verdict.reads, hits: verdict.hits, ...counts }))
  const violations = verdict.violations.map(describeViolation)
  expect({ violations, wrongAtRest, hung }, `MILLPOND_SEED=${seed}`).toEqual({
    violations: [],
    wrongAtRest: [],
    hung: [],
  })
  expect(verdict.reads).toBeGreaterThan(50)
  expect(counts.writes).toBeGreaterThan(10)
})

describe('each scene', { timeout: 60_000 }, () => {
  test.concurrent.each(Object.keys(scenes) as Mutant[])(
    '%s: ends well, and is found out where that is done',
    async (name) => {
      expect(await playScene(name, undefined)).toEqual([])
      expect(await playScene(name, name)).not.toEqual([])
    },
  )
})
