/** What a visitor finds out about a mesh: every peer, every map, and whether all hold the same. Plain data. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mesh, MeshStatus, PeerInfo } from 'millpond/mesh'

export interface Survey {
  readonly mesh: string
  /** Whether all who answer have equal maps. Changes that are on their way make a difference for a moment. */
  readonly equal: boolean
  readonly peers: readonly SurveyedPeer[]
  readonly maps: readonly SurveyedMap[]
}

export interface SurveyedPeer {
  readonly id: number
  readonly name: string
  readonly address: string
  readonly state: PeerInfo['state']
  readonly slow: boolean
  /** Measured by the mesh. */
  readonly roundTripMs: number | undefined
  readonly answers: boolean
  /** It only looks, as this process does. */
  readonly observes: boolean
  /** Peers that are alive, as it sees it. */
  readonly alive: number | undefined
  /** Datagrams that it was missing, and those of them that never came. */
  readonly missed: number | undefined
  readonly lost: number | undefined
}

export interface SurveyedMap {
  readonly name: string
  readonly sync: string
  readonly equal: boolean
  readonly peers: readonly {
    readonly peer: string
    readonly size: number
    readonly checksum: string
    readonly written: number
  }[]
}

/** Asks everyone. Where maps differ it asks again, as changes may be on their way. */
export async function survey(mesh: Mesh): Promise<Survey> {
  let found = await look(mesh)
  for (let again = 0; again < AGAIN_MAX && !found.equal; again++) {
    await sleep(AGAIN_MS)
    found = await look(mesh)
  }
  return found
}

async function look(mesh: Mesh): Promise<Survey> {
  const others = (await mesh.clusterStatus()).filter(({ id }) => id !== mesh.id)
  const answers = new Map(others.map((status) => [status.id, status]))
  const peers = mesh.peers().map((peer) => surveyed(peer, answers.get(peer.id)))
  peers.sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
  const members = peers.flatMap(({ id, observes }) => (observes ? [] : (answers.get(id) ?? [])))
  const names = [...new Set(members.flatMap(({ maps }) => Object.keys(maps)))].sort()
  const maps = names.map((name) => surveyedMap(name, members))
  return { mesh: mesh.name, equal: maps.every(({ equal }) => equal), peers, maps }
}

function surveyed(
  { id, name, address, state, slow, roundTripMs }: PeerInfo,
  status: MeshStatus | undefined,
): SurveyedPeer {
  const sum = (counter: 'missed' | 'lost') => status?.link.peers.reduce((total, peer) => total + peer[counter], 0)
  return {
    id,
    name,
    address: `${address.host}:${address.port}`,
    state,
    slow,
    roundTripMs,
    answers: status !== undefined,
    observes: status?.observes ?? false,
    alive: status?.alive,
    missed: sum('missed'),
    lost: sum('lost'),
  }
}

/** A member that does not know the map differs from those that do. */
function surveyedMap(name: string, members: readonly MeshStatus[]): SurveyedMap {
  const sync = members.find(({ maps }) => maps[name])!.maps[name]!.sync
  const peers = members.map(({ peer, maps }) => {
    const { size = 0, checksum = '', written = 0 } = maps[name] ?? {}
    return { peer, size, checksum, written }
  })
  return { name, sync, equal: new Set(peers.map(({ checksum }) => checksum)).size === 1, peers }
}

const AGAIN_MAX = 5
const AGAIN_MS = 200
