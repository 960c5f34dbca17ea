/** A process of the suite `mesh-stress`: changes a map at random, and tells what it holds at the end. */
import { createHash } from 'node:crypto'
import { seededRandom } from '../../../../packages/millpond/src/core/random.ts'
import type { Serve } from '../../remote.ts'
import { joinedMesh, type PeerOptions } from '../mesh/peer.ts'
import { type OperationCounts, Operations } from './operations.ts'
import type { StressSettings } from './settings.ts'

export interface StressPeerOptions extends PeerOptions {
  readonly settings: StressSettings
}

export type StressPeerService = {
  alive(): number
  /** Changes the map for as long as the settings say, and waits until the others have it. */
  run(): Promise<{ counts: OperationCounts; endedMs: number }>
  report(): StressReport
  close(): Promise<void>
}

/** What a process holds and what it took to get there. */
export interface StressReport {
  readonly size: number
  /** The mesh's own: of versions. */
  readonly checksum: string
  /** Ours: of every key and value, read by `entries()`. */
  readonly digest: string
  readonly unsent: number
  readonly changes: { sent: number; conflated: number; received: number; repaired: number; conflicts: number }
  readonly datagrams: { sent: number; dropped: number; missed: number; repaired: number; lost: number; again: number }
}

export const serve: Serve<StressPeerOptions, StressPeerService> = async (options) => {
  const { mesh, map, transport } = await joinedMesh(options)
  const { settings } = options
  transport.faults = { loss: settings.tantrum / 100 }
  return {
    alive: () => mesh.status().alive,
    async run() {
      const counts = await new Operations(map, settings, options.peer, seededRandom(options.seed)).run()
      const endedMs = Date.now()
      await map.settled()
      return { counts, endedMs }
    },
    report() {
      const { size, checksum, unsent, sent, conflated, received, repaired, conflicts } = map.stats()
      const { link } = mesh.status()
      const sum = (name: 'missed' | 'repaired' | 'lost' | 'retransmitted') =>
        link.peers.reduce((total, peer) => total + peer[name], 0)
      return {
        size,
        checksum,
        digest: digestOf(map),
        unsent,
        changes: { sent, conflated, received, repaired, conflicts },
        datagrams: {
          sent: link.sent,
          dropped: transport.dropped,
          missed: sum('missed'),
          repaired: sum('repaired'),
          lost: sum('lost'),
          again: sum('retransmitted') + link.retransmittedToAll,
        },
      }
    },
    close: () => mesh.leave(),
  }
}

/** Of every key and value, whatever the order in which they are held. */
function digestOf(map: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [key, value] of [...map].sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${key.length} ${key} ${value.length} ${value}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
