/** A flood of datagrams and values that strangers could send: none may throw, be opened, or leave anything behind. */

import { ValueError } from '../../../../packages/millpond/src/core/errors.ts'
import { seededRandom } from '../../../../packages/millpond/src/core/random.ts'
import { hostile } from '../../../../packages/millpond/src/mesh/security/hostile.fixture.ts'
import { Keyring } from '../../../../packages/millpond/src/mesh/security/keyring.ts'
import { PacketSealer } from '../../../../packages/millpond/src/mesh/security/packet-sealer.ts'
import { newPeerId } from '../../../../packages/millpond/src/mesh/wire/peer-id.ts'
import { valueCodec } from '../../../../packages/millpond/src/mesh/wire/value-codec.ts'
import { manualClock } from '../../../../packages/millpond/src/testing/manual-clock.ts'

export interface Flood {
  readonly datagrams: number
  readonly threw: number
  readonly opened: number
  readonly sendersAdded: number
  /** Microseconds each. */
  readonly cost: number
}

/** Sends `count` hostile datagrams to a member that has heard 50 good ones. The clock goes on, so that strangers are looked at again. */
export function floodPackets(count: number, keys: readonly Uint8Array[], seed: number): Flood {
  const clock = manualClock()
  const random = seededRandom(seed)
  const [here, friend] = [0, 1].map(() => new PacketSealer(newPeerId(), 'bench', new Keyring(keys), clock)) as [
    PacketSealer,
    PacketSealer,
  ]
  const recorded = Array.from({ length: 50 }, (_, at) => friend.seal(at % 13, 0, at, 0, Buffer.alloc(at * 25, at)))
  for (const datagram of recorded) here.open(datagram)
  const { senders } = here
  const openedBefore = here.counts.opened
  let threw = 0
  const start = process.cpuUsage()
  for (let at = 0; at < count; at++) {
    const datagram = hostile(random, recorded)
    try {
      here.open(datagram)
    } catch {
      threw++
    }
    if (at % 100 === 0) clock.advanceNow(10)
  }
  const { user, system } = process.cpuUsage(start)
  const opened = here.counts.opened - openedBefore
  return { datagrams: count, threw, opened, sendersAdded: here.senders - senders, cost: (user + system) / count }
}

/** Decodes `count` random and damaged values. Returns how many threw something else than `ValueError`. */
export function floodValues(count: number, seed: number): number {
  const random = seededRandom(seed)
  const good = Buffer.from(
    valueCodec.encode({ a: [1, 'two', new Map([[3n, new Date(4)]])], b: new Set(['x'.repeat(99)]) }),
  )
  let wrong = 0
  for (let at = 0; at < count; at++) {
    const bytes = at % 2 === 0 ? Buffer.alloc(1 + Math.floor(random() * 40)) : Buffer.from(good)
    if (at % 2 === 0) for (let index = 0; index < bytes.length; index++) bytes[index] = random() * 256
    else
      for (let flips = 1 + random() * 4; flips > 0; flips--) bytes[Math.floor(random() * bytes.length)] = random() * 256
    try {
      valueCodec.decode(bytes)
    } catch (error) {
      if (!(error instanceof ValueError)) wrong++
    }
  }
  return wrong
}
