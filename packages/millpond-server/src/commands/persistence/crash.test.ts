/** A server that is killed at any moment: what it has acknowledged is there after the next start. `npm run bench -- server-faults` does 500 rounds. */
import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { crashRounds } from '../../../../../tools/servers/crash-rounds.ts'
import { seededRandom } from '../../../../millpond/src/core/random.ts'

const seed = randomInt(2 ** 31)

test('always: 20 kills under load lose nothing that was acknowledged', async () => {
  const report = await crashRounds({ rounds: 20, durability: 'always', random: seededRandom(seed) })
  expect(report, `seed ${seed}`).toMatchObject({ lost: 0, torn: 0, invented: 0 })
  expect(report.acknowledged).toBeGreaterThan(100)
}, 240_000)

test('everysec: what was acknowledged a second before is there', async () => {
  const report = await crashRounds({ rounds: 3, durability: 'everysec', random: seededRandom(seed) })
  expect(report, `seed ${seed}`).toMatchObject({ lost: 0, torn: 0, invented: 0 })
  expect(report.acknowledged).toBeGreaterThan(100)
}, 120_000)
