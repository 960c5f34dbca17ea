/** `millpond mesh ping`: how long each peer takes to answer a question, by a sealed stream of its own, as all questions go. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mesh, PeerInfo } from 'millpond/mesh'
import { columns, milliseconds } from '../columns.ts'
import { type MeshFlags, visit } from './visit.ts'

interface PingFlags extends MeshFlags {
  readonly count: number
  /** In seconds. */
  readonly every: number
}

interface Pinged {
  readonly peer: string
  readonly id: number
  readonly asked: number
  readonly answered: number
  readonly minMs: number | undefined
  readonly medianMs: number | undefined
  readonly maxMs: number | undefined
  /** Of datagrams, as the mesh measures it all the time. */
  readonly roundTripMs: number | undefined
}

/** Asks everyone in turn, prints, and returns the exit code: 0 only where all was answered. */
export async function ping(flags: PingFlags): Promise<number> {
  const pinged = await visit(flags, async (mesh) => {
    const peers = mesh.peers().filter(({ state }) => state === 'alive' || state === 'suspect')
    const times = peers.map((): number[] => [])
    for (let turn = 0; turn < flags.count; turn++) {
      if (turn > 0) await sleep(flags.every * 1000)
      for (const [at, peer] of peers.entries()) {
        const ms = await ask(mesh, peer)
        if (ms !== undefined) times[at]!.push(ms)
      }
    }
    const roundTrips = new Map(mesh.peers().map(({ id, roundTripMs }) => [id, roundTripMs]))
    return peers.map((peer, at) => pingedOf(peer, times[at]!, flags.count, roundTrips.get(peer.id)))
  })
  process.stdout.write(flags.json ? `${JSON.stringify(pinged, undefined, 2)}\n` : `${table(pinged).join('\n')}\n`)
  return pinged.length > 0 && pinged.every(({ answered, asked }) => answered === asked) ? 0 : 1
}

async function ask(mesh: Mesh, { id, name }: PeerInfo): Promise<number | undefined> {
  const startMs = performance.now()
  try {
    await mesh.statusOf(id)
    return performance.now() - startMs
  } catch (error) {
    process.stderr.write(`${name}: ${(error as Error).message}\n`)
    return undefined
  }
}

function pingedOf(
  { id, name }: PeerInfo,
  times: readonly number[],
  asked: number,
  roundTripMs: number | undefined,
): Pinged {
  const sorted = times.toSorted((one, other) => one - other)
  return {
    peer: name,
    id,
    asked,
    answered: sorted.length,
    minMs: sorted[0],
    medianMs: sorted[sorted.length >> 1],
    maxMs: sorted.at(-1),
    roundTripMs,
  }
}

function table(pinged: readonly Pinged[]): string[] {
  return columns(
    ['peer', 'answers', 'of', 'least', 'median', 'most', 'datagrams'],
    pinged.map(({ peer, answered, asked, minMs, medianMs, maxMs, roundTripMs }) => [
      peer,
      answered,
      asked,
      ...[minMs, medianMs, maxMs, roundTripMs].map(milliseconds),
    ]),
  )
}
