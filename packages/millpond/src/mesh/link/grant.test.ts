import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { Grant } from './grant.ts'

test('is halved where a buffer was full, down to a least', () => {
  const grant = new Grant(2048)
  const grants: number[] = []
  for (let bursts = 0; bursts < 8; bursts++) {
    grant.came(200)
    grants.push(grant.datagrams)
  }
  expect(grants).toEqual([1024, 512, 256, 128, 64, 32, 16, 16])
})

test('grows by 64 with each grant that comes well, up to what it was', () => {
  const grant = new Grant(256)
  for (let bursts = 0; bursts < 2; bursts++) grant.came(100)
  const grants: number[] = []
  for (let came = 1; came <= 600; came++) {
    const before = grant.datagrams
    grant.came(0)
    if (grant.datagrams !== before) grants.push(came, grant.datagrams)
  }
  expect(grants).toEqual([64, 128, 192, 192, 384, 256])
})

test.each([0.1, 0.2])('does not mind a network that loses %f at random', (loss) => {
  const random = seededRandom(1)
  const grant = new Grant(2048)
  let missed = 0
  for (let sent = 0; sent < 20_000; sent++) {
    if (random() < loss) missed++
    else {
      grant.came(missed)
      missed = 0
    }
  }
  expect(grant.datagrams).toBeGreaterThan(1024)
})
