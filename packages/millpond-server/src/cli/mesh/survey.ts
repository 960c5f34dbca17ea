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
  /** Of datagrams, as the other members measure it. */
  readonly roundTripMs: number | undefined
  /** How long it took to answer this visitor, over a stream of its own. */
  readonly answerMs: number | undefined
  readonly answers: boolean
  /** It only looks, as this process does. */
  readonly observes: boolean
  /** Peers that are alive, as it sees it: visitors too. */
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
  // Who has left in good order is no part of the mesh any more.
  const known = mesh.peers().filter(({ state }) => state !== 'left')
  known.sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
  const answers = await Promise.all(known.map((peer) => ask(mesh, peer)))
  const peers = known.map((peer, at) => surveyed(peer, answers[at], roundTripTo(peer, answers)))
  const members = answers.flatMap((answer) => (answer && !answer.status.observes ? [answer.status] : []))
  const names = [...new Set(members.flatMap(({ maps }) => Object.keys(maps)))].sort()
  const maps = names.map((name) => surveyedMap(name, members))
  return { mesh: mesh.name, equal: maps.every(({ equal }) => equal), peers, maps }
}

interface Answer {
  readonly status: MeshStatus
  readonly tookMs: number
}

async function ask(mesh: Mesh, { id, state }: PeerInfo): Promise<Answer | undefined> {
  if (state === 'dead') return undefined
  const startMs = performance.now()
  try {
    return { status: await mesh.statusOf(id), tookMs: performance.now() - startMs }
  } catch {
    // It is told as one that does not answer.
    return undefined
  }
}

/** The middle one of what members measure; a visitor sends too little to measure it. */
function roundTripTo({ id }: PeerInfo, answers: readonly (Answer | undefined)[]): number | undefined {
  const measured = answers.flatMap(
    (answer) => answer?.status.link.peers.find((peer) => peer.id === id)?.roundTripMs ?? [],
  )
  return measured.sort((one, other) => one - other)[measured.length >> 1]
}

function surveyed(peer: PeerInfo, answer: Answer | undefined, roundTripMs: number | undefined): SurveyedPeer {
  const { id, name, address, state, slow } = peer
  const status = answer?.status
  const sum = (counter: 'missed' | 'lost') => status?.link.peers.reduce((total, one) => total + one[counter], 0)
  return {
    id,
    name,
    address: `${address.host}:${address.port}`,
    state,
    slow,
    roundTripMs,
    answerMs: answer?.tookMs,
    answers: answer !== undefined,
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
