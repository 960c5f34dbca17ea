/** The suite `mesh-stress`: McCache's stress test for the mesh. Processes change the same keys at random; at the end all is compared. */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Remote } from '../remote.ts'
import { atLeast, exactly, type Row, row, type Suite } from '../suite.ts'
import type { OperationCounts } from './mesh-stress/operations.ts'
import type { StressPeerOptions, StressPeerService, StressReport } from './mesh-stress/peer.ts'
import { commandOf, type StressSettings, stressOptions, stressSettings } from './mesh-stress/settings.ts'

const PORT = 47_311
const EQUAL_MS_MAX = 60_000

export const suite: Suite = {
  name: 'mesh-stress',
  summary: 'random changes of the same keys by all processes of a mesh, with loss; every value is compared at the end',
  options: stressOptions,
  async run(context) {
    const settings = stressSettings(context.options, context.quick)
    context.note(`Again: ${commandOf(settings)}`)
    const peers: Remote<StressPeerService>[] = []
    try {
      context.progress(`mesh-stress: starting ${settings.cluster} processes`)
      for (let at = 0; at < settings.cluster; at++) peers.push(await startPeer(settings, at))
      await untilGathered(peers)
      context.progress(`mesh-stress: ${settings.duration} s of changes`)
      const done = await Promise.all(peers.map((peer) => peer.call('run')))
      context.progress('mesh-stress: comparing')
      const { equalMs, reports } = await compare(peers, Math.max(...done.map(({ endedMs }) => endedMs)))
      if (equalMs === undefined) context.note(`Not equal within ${EQUAL_MS_MAX} ms: ${JSON.stringify(reports)}`)
      const counts = done.map(({ counts }) => counts)
      return rows(settings, counts, reports, equalMs)
    } finally {
      await Promise.all(peers.map((peer) => peer.close()))
    }
  },
}

async function startPeer(settings: StressSettings, at: number): Promise<Remote<StressPeerService>> {
  const argument: StressPeerOptions = {
    way: 'mesh',
    port: PORT,
    name: `stress-${process.pid}`,
    peer: `peer-${at}`,
    seed: settings.seed * 1000 + at,
    settings,
  }
  const module = new URL('./mesh-stress/peer.ts', import.meta.url)
  return await Remote.start<StressPeerService>({ module, argument, core: at % availableParallelism() })
}

async function untilGathered(peers: readonly Remote<StressPeerService>[]): Promise<void> {
  const startMs = performance.now()
  while ((await Promise.all(peers.map((peer) => peer.call('alive')))).some((alive) => alive !== peers.length - 1)) {
    if (performance.now() - startMs > 30_000) throw new Error('the processes did not find each other within 30 s')
    await sleep(20)
  }
}

/** Asks all for what they hold until it is the same, or the time is over. A process that does not answer is an error. */
async function compare(
  peers: readonly Remote<StressPeerService>[],
  endedMs: number,
): Promise<{ equalMs: number | undefined; reports: StressReport[] }> {
  for (;;) {
    const reports = await Promise.all(peers.map((peer) => peer.call('report')))
    const elapsedMs = Date.now() - endedMs
    const isEqual = differing(reports, 'checksum') === 0 && differing(reports, 'digest') === 0
    if (isEqual && reports.every(({ unsent }) => unsent === 0)) return { equalMs: elapsedMs, reports }
    if (elapsedMs > EQUAL_MS_MAX) return { equalMs: undefined, reports }
    await sleep(20)
  }
}

/** How many processes have another one than the first. */
function differing(reports: readonly StressReport[], name: 'checksum' | 'digest' | 'size'): number {
  return reports.filter((report) => report[name] !== reports[0]![name]).length
}

function rows(
  settings: StressSettings,
  counts: readonly OperationCounts[],
  reports: readonly StressReport[],
  equalMs: number | undefined,
): Row[] {
  const all = (name: keyof OperationCounts) => counts.reduce((total, each) => total + each[name], 0)
  const changed = (name: keyof StressReport['changes']) =>
    reports.reduce((total, { changes }) => total + changes[name], 0)
  const passed = (name: keyof StressReport['datagrams']) =>
    reports.reduce((total, { datagrams }) => total + datagrams[name], 0)
  return [
    ...(['get', 'insert', 'update', 'delete', 'idle'] as const).map((kind) => row(`done: ${kind}`, all(kind), 'ops')),
    row('changes that went out', changed('sent'), 'changes'),
    row('changes that a later one of the key overtook first', changed('conflated'), 'changes'),
    row('changes that came in, at all peers', changed('received'), 'changes'),
    row('concurrent changes of a key that were noticed', changed('conflicts'), 'conflicts'),
    row('datagrams with changes', passed('sent'), 'datagrams'),
    // What was not thrown away was no test of it.
    row(
      'thrown away by the tantrum, of any kind',
      passed('dropped'),
      'datagrams',
      settings.tantrum > 0 ? atLeast(1) : exactly(0),
    ),
    row('seen to be missing', passed('missed'), 'datagrams'),
    row('of those, came after all', passed('repaired'), 'datagrams'),
    row('of those, lost for good', passed('lost'), 'datagrams'),
    row('sent again', passed('again'), 'datagrams'),
    row('changes that came by comparing states', changed('repaired'), 'changes'),
    row('processes that were compared', reports.length, 'processes', exactly(settings.cluster)),
    row('entries that the first holds', reports[0]!.size, 'entries', atLeast(1)),
    row('processes with another size', differing(reports, 'size'), 'processes', exactly(0)),
    row('processes with another checksum', differing(reports, 'checksum'), 'processes', exactly(0)),
    row('processes with other values', differing(reports, 'digest'), 'processes', exactly(0)),
    ...(equalMs === undefined ? [] : [row('equal after the last change', equalMs, 'ms')]),
  ]
}
