import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import type { Sync } from './map-mode.ts'
import { contentOf, differing, Peers } from './peers.fixture.ts'

const FOREVER = Number.POSITIVE_INFINITY

test.each<Sync>(['full', 'part', 'invalidate'])(
  '%s: merging is commutative, associative and idempotent: any order, any grouping, any repetition gives the same state',
  (sync) => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed)
      const peers = new Peers(seed)
      const writers = [0, 250, -3_600_000, 7_200_000].map((skewMs) => peers.join(skewMs))
      for (let turn = 0; turn < 60; turn++) {
        const writer = writers[Math.floor(random() * writers.length)]!
        const map = writer.open('prices', {}, sync)
        const key = `k${Math.floor(random() * 6)}`
        const chance = random()
        if (chance < 0.02) map.clear()
        else if (chance < 0.25) map.delete(key)
        else map.set(key, `${writer.id}.${turn}`, FOREVER)
        if (random() < 0.3) writer.flush()
        if (random() < 0.2) peers.deliverOne()
        peers.clock.advanceNow(random() * 3)
      }
      peers.flush()
      const said = writers.flatMap((writer) => writer.sentBodies.map((body) => ({ from: writer.id, body })))
      const readers = Array.from({ length: 5 }, () => {
        const reader = peers.join()
        // Half of it comes by another reader's state: groups are merged, not only single changes.
        const first = peers.join()
        const order = [...said, ...said.filter(() => random() < 0.5)].sort(() => random() - 0.5)
        for (const [at, { from, body }] of order.entries())
          (at % 2 ? first : reader).replica.merge(from, Uint8Array.from(body))
        for (const body of [...first.replica.bodies(undefined, 64 * 1024)]) reader.replica.merge(first.id, body)
        for (const body of [...reader.replica.bodies(undefined, 64 * 1024)]) reader.replica.merge(reader.id, body)
        return reader
      })
      for (const reader of readers) {
        const hint = `seed ${seed}, reader ${reader.id}`
        expect(differing(readers[0]!.replica.hashes().slice(), reader.replica.hashes()), hint).toEqual([])
        if (sync === 'full')
          expect(contentOf(reader.open('prices', {}, sync)), hint).toEqual(
            contentOf(readers[0]!.open('prices', {}, sync)),
          )
      }
    }
  },
)
