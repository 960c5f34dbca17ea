import { randomBytes } from 'node:crypto'
import type { PeerId } from '../link/link.ts'

/** The id of a new process life: 52 random bits, never 0. Two of ten thousand lives are the same once in 90 million meshes. */
export function newPeerId(): PeerId {
  for (;;) {
    const id = randomBytes(7).readUIntLE(0, 6) + (randomBytes(1)[0]! & 15) * 2 ** 48
    if (id > 0) return id
  }
}
