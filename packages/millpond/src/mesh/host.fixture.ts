/** A process of a mesh on a host of its own, told what to do by its parent: `host.fixture.ts <options of joinMesh as JSON>`. */
import { joinMesh, type MeshOptions } from './index.ts'

/** What it is told. It answers each with its report. */
export type HostCommand =
  | { readonly do: 'set' | 'delete'; readonly prefix: string; readonly count: number }
  | { readonly do: 'report' }

export interface HostReport {
  readonly alive: number
  readonly size: number
  readonly checksum: string
  readonly missed: number
  readonly addresses: readonly string[]
}

const mesh = await joinMesh(JSON.parse(process.argv[2]!) as MeshOptions)
const map = mesh.map<string>('hosts')

process.on('message', (command: HostCommand) => {
  if (command.do === 'set')
    for (let at = 0; at < command.count; at++) map.set(`${command.prefix}${at}`, `${mesh.peer} ${at}`)
  if (command.do === 'delete') for (let at = 0; at < command.count; at++) map.delete(`${command.prefix}${at}`)
  process.send!(report())
})
process.on('disconnect', () => {
  void mesh.leave().finally(() => process.exit(0))
})
process.send!(report())

function report(): HostReport {
  const { alive, link } = mesh.status()
  const { size, checksum } = map.stats()
  const missed = link.peers.reduce((sum, peer) => sum + peer.missed, 0)
  return { alive, size, checksum, missed, addresses: mesh.peers().map(({ address }) => address.host) }
}
