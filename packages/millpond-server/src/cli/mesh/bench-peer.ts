/** The other process of `millpond mesh bench`: notes how old values are when they come, and answers in the map. */
import { joinMesh } from 'millpond/mesh'

/** What it has noted since it was told to listen. Ages are by the clock that all processes of a machine share. */
export interface BenchAnswer {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Serves until it is told to end, or its writer has left. */
export async function benchPeer(): Promise<number> {
  const mesh = await joinMesh()
  const map = mesh.map<string>('bench')
  let ages: number[] = []
  map.on('set', ({ key, local }) => {
    if (local) return
    if (key.startsWith('even:')) ages.push(ageMs(map.get(key)!))
    if (key === 'ask:listen') ages = []
    if (key.startsWith('ask:')) map.set(`answer:${key.slice(4)}`, JSON.stringify(answerOf(ages)))
  })
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    mesh.on('peer', ({ peer }) => {
      if (peer.state === 'left' || peer.state === 'dead') resolve()
    })
  })
  await mesh.leave()
  return 0
}

function ageMs(value: string): number {
  return Number(process.hrtime.bigint() - BigInt(value.slice(0, value.indexOf('.')))) / 1e6
}

function answerOf(ages: readonly number[]): BenchAnswer {
  const sorted = ages.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
