/** `millpond mesh bench`: what the mesh does on this machine, between this process and one that it starts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { joinMesh, type Mesh, type MeshMap } from 'millpond/mesh'
import { milliseconds } from '../columns.ts'
import type { BenchAnswer } from './bench-peer.ts'

interface BenchFlags {
  readonly interface?: string
  readonly port?: number
  readonly seconds: number
  readonly json?: boolean
}

/** Prints what was measured and returns the exit code: 1 where the two processes were not equal at the end. */
export async function bench(flags: BenchFlags): Promise<number> {
  const name = `millpond-bench-${randomBytes(6).toString('hex')}`
  const key = randomBytes(32).toString('base64')
  const transport = {
    interface: flags.interface ?? '127.0.0.1',
    ...(flags.port === undefined ? {} : { port: flags.port }),
  }
  const mesh = await joinMesh({ name, key, peer: 'writer', transport, insecure: false })
  const child = startPeer({ name, key, ...transport })
  try {
    const map = mesh.map<string>('bench')
    await meet(mesh, child)
    await writeEvenly(map, 0.5)
    await ask(map, 'listen')
    const written = await writeEvenly(map, flags.seconds)
    const seen = await ask(map, 'report')
    const flood = await writeFlatOut(map, flags.seconds)
    const equal = await isEqual(mesh)
    const result = { processes: 2, interface: transport.interface, written, setToSeen: seen, throughput: flood, equal }
    process.stdout.write(flags.json ? `${JSON.stringify(result, undefined, 2)}\n` : text(result))
    return equal && seen.count === written ? 0 : 1
  } finally {
    await mesh.leave()
    await end(child)
  }
}

interface Flood {
  readonly updates: number
  readonly perSecond: number
  /** Overtaken by a later one of the same key before they were sent: these did not travel. */
  readonly conflated: number
}

function text(result: {
  written: number
  setToSeen: BenchAnswer
  throughput: Flood
  equal: boolean
  interface: string
}): string {
  const { setToSeen: seen, throughput, written } = result
  return [
    `two processes on ${result.interface}, encrypted, values of ${VALUE_BYTES} bytes`,
    `  set to seen at ${PER_SECOND.toLocaleString('en')}/s: median ${milliseconds(seen.p50Ms)}, 99 % below ${milliseconds(seen.p99Ms)}, all below ${milliseconds(seen.maxMs)} (${seen.count.toLocaleString('en')} of ${written.toLocaleString('en')} seen)`,
    `  flat out: ${Math.round(throughput.perSecond).toLocaleString('en')} updates a second (${throughput.conflated} overtaken before they were sent)`,
    `  at the end: ${result.equal ? 'equal' : 'NOT EQUAL'}`,
    '',
  ].join('\n')
}

/** This same program, as a peer that answers: everything that it needs is in the variables that joinMesh reads. */
function startPeer(settings: { name: string; key: string; interface: string; port?: number }): ChildProcess {
  const variables = Object.entries(settings).map(([name, value]) => [`MILLPOND_MESH_${name.toUpperCase()}`, `${value}`])
  return spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'mesh', 'bench-peer'], {
    env: { ...process.env, ...Object.fromEntries(variables), MILLPOND_MESH_PEER: 'reader' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function meet(mesh: Mesh, child: ChildProcess): Promise<void> {
  const startMs = performance.now()
  while (mesh.status().alive === 0) {
    if (child.exitCode !== null) throw new Error(`the other process ended with ${child.exitCode}`)
    if (performance.now() - startMs > MEET_MS_MAX) {
      throw new Error(`the two processes did not find each other within ${MEET_MS_MAX} ms; try --interface 127.0.0.1`)
    }
    await sleep(20)
  }
}

/** Has the other process do something: it answers in the map. */
async function ask(map: MeshMap<string>, what: 'listen' | 'report'): Promise<BenchAnswer> {
  map.set(`ask:${what}`, '')
  const startMs = performance.now()
  while (!map.has(`answer:${what}`)) {
    if (performance.now() - startMs > MEET_MS_MAX) throw new Error('the other process does not answer')
    await sleep(10)
  }
  return JSON.parse(map.get(`answer:${what}`)!) as BenchAnswer
}

async function writeEvenly(map: MeshMap<string>, seconds: number): Promise<number> {
  const startMs = performance.now()
  const total = Math.round(PER_SECOND * seconds)
  for (let written = 0; written < total; await sleep(1)) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * PER_SECOND))
    for (; written < due; written++)
      map.set(`even:${written % KEYS}`, `${process.hrtime.bigint()}`.padEnd(VALUE_BYTES, '.'))
  }
  await map.settled()
  return total
}

/** A key is written again only after its last change was sent, as far as that can be: so nearly every update travels. */
async function writeFlatOut(map: MeshMap<string>, seconds: number): Promise<Flood> {
  const value = 'x'.repeat(VALUE_BYTES)
  const before = map.stats().conflated
  const startMs = performance.now()
  let updates = 0
  while (performance.now() - startMs < seconds * 1000) {
    for (let count = 0; count < 1000 && map.pressure * UNSENT_MAX < FLOOD_KEYS / 2; count++)
      map.set(`flood:${updates++ % FLOOD_KEYS}`, value)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await map.settled()
  const conflated = map.stats().conflated - before
  return { updates, conflated, perSecond: (updates - conflated) / ((performance.now() - startMs) / 1000) }
}

async function isEqual(mesh: Mesh): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    const sums = await mesh.checksums('bench')
    if (sums.length === 2 && sums[0]!.checksum === sums[1]!.checksum) return true
    await sleep(20)
  }
  return false
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 3000)
  await ended
  clearTimeout(giveUp)
}

const PER_SECOND = 1000
const VALUE_BYTES = 64
const KEYS = 200
const FLOOD_KEYS = 20_000
/** `maxUnsent` of a map that was opened without options. */
const UNSENT_MAX = 1_000_000
const MEET_MS_MAX = 10_000
