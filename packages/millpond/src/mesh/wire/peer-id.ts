import { randomBytes } from 'node:crypto'
import type { PeerId } from '../link/link.ts'

/**
 * The id of a new process life: 52 random bits, never 0. Two of ten thousand lives are the same once in 90 million meshes.
 *
 * @param observes it only looks: its id is above those of all members, as the lowest of several has duties
 */
export function newPeerId(observes = false): PeerId {
  for (;;) {
    const id = randomBytes(7).readUIntLE(0, 6) + (randomBytes(1)[0]! & 15) * 2 ** 48
    if (id > 0) return observes ? id + 2 ** 52 : id
  }
}
