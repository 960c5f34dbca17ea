/** A survey of a mesh as lines of text. */
import { columns, milliseconds } from '../columns.ts'
import type { Survey, SurveyedMap, SurveyedPeer } from './survey.ts'

export function picture({ mesh, equal, peers, maps }: Survey): string[] {
  const members = peers.filter(({ observes }) => !observes)
  return [
    `${mesh}: ${count(members.length, 'peer')}, ${count(maps.length, 'map')}${maps.length === 0 ? '' : equal ? ', all equal' : ', NOT EQUAL'}`,
    '',
    ...columns(['peer', 'state', 'address', 'round trip', 'answer', 'sees', 'missed', 'lost'], members.map(peerRow)),
    ...(maps.length === 0
      ? []
      : ['', ...columns(['map', 'sync', 'peer', 'size', 'written', 'checksum', ''], maps.flatMap(mapRows))]),
  ]
}

/** One line, for where lines cannot be drawn over. */
export function summary({ mesh, equal, peers, maps }: Survey): string {
  const alive = peers.filter(({ state, observes }) => state === 'alive' && !observes).map(({ name }) => name)
  const sizes = maps.map(({ name, peers }) => `${name} ${range(peers.map(({ size }) => size))}`)
  return [
    `${mesh}: ${alive.join(' ') || 'nobody'}`,
    ...sizes,
    ...(maps.length > 0 ? [equal ? 'equal' : 'NOT EQUAL'] : []),
  ].join(' | ')
}

function peerRow(peer: SurveyedPeer) {
  const state = peer.answers || peer.state !== 'alive' ? peer.state : 'no answer'
  return [
    peer.name,
    peer.slow ? `${state}, slow` : state,
    peer.address,
    milliseconds(peer.roundTripMs),
    milliseconds(peer.answerMs),
    peer.alive,
    peer.missed,
    peer.lost,
  ]
}

function mapRows({ name, sync, equal, peers }: SurveyedMap) {
  return peers.map(({ peer, size, written, checksum }, at) => [
    at === 0 ? name : '',
    at === 0 ? sync : '',
    peer,
    size,
    written,
    checksum === '' ? undefined : checksum,
    equal ? '' : 'differs',
  ])
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function range(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  return least === most ? `${least}` : `${least} to ${most}`
}
