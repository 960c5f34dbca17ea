/** A visit to a mesh: joins as a peer that only looks, meets who is there, and leaves. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { joinMesh, type Mesh, type MeshOptions } from 'millpond/mesh'

/** The options of every command that visits a mesh, as they stand on the command line. */
export interface MeshFlags {
  readonly name?: string
  readonly key?: string
  readonly interface?: string
  readonly port?: number
  readonly seeds?: string
  readonly insecure?: boolean
  /** In seconds. */
  readonly wait: number
  readonly json?: boolean
}

/** Nobody was found; its message says what to check. */
export class NobodyThereError extends Error {}

/**
 * Joins, waits until those who are there have been met, runs `look`, and leaves whatever happens.
 *
 * @throws NobodyThereError when nobody was met in time
 */
export async function visit<T>(flags: MeshFlags, look: (mesh: Mesh) => Promise<T>): Promise<T> {
  const mesh = await joinMesh(optionsOf(flags))
  try {
    await meet(mesh, flags.wait * 1000)
    return await look(mesh)
  } finally {
    await mesh.leave()
  }
}

function optionsOf(flags: MeshFlags): MeshOptions {
  const { name, key, seeds } = flags
  return {
    observe: true,
    peer: `millpond:${hostname()}:${process.pid}`,
    ...(name === undefined ? {} : { name }),
    ...(key === undefined ? {} : { key: key.split(',') }),
    ...(flags.insecure === undefined ? {} : { insecure: flags.insecure }),
    transport: {
      ...(flags.interface === undefined ? {} : { interface: flags.interface }),
      ...(flags.port === undefined ? {} : { port: flags.port }),
      ...(seeds === undefined
        ? {}
        : { seeds: seeds.startsWith('file:') ? { file: seeds.slice(5) } : seeds.split(',') }),
      // Nobody has to find a visitor: the port that seeds name is left to a member on this machine.
      ownPort: 0,
      streamPort: 0,
    },
    logger: { warn: say, error: say },
  }
}

function say(_details: object, message: string): void {
  process.stderr.write(`warning: ${message}\n`)
}

/** Waits until somebody is there and nobody new has come for a moment. */
async function meet(mesh: Mesh, waitMs: number): Promise<void> {
  const startMs = performance.now()
  let met = 0
  let lastMs = startMs
  for (let nowMs = startMs; nowMs - startMs < waitMs; nowMs = performance.now()) {
    const count = mesh.peers().length
    if (count > met) lastMs = nowMs
    met = count
    if (met > 0 && nowMs - lastMs > QUIET_MS) return
    await sleep(20)
  }
  if (met === 0) throw new NobodyThereError(nobody(mesh, waitMs))
}

function nobody(mesh: Mesh, waitMs: number): string {
  const { wrongMode, unknownKey, forged } = mesh.status().link.packets
  const heard = wrongMode + unknownKey + forged > 0
  return [
    `no peer of the mesh '${mesh.name}' was found within ${waitMs / 1000} s. Check that`,
    '  - a process of it runs now, and has joined by this name (--name)',
    heard
      ? '  - the key is the one of the others (MILLPOND_MESH_KEY): packets came that this one does not open'
      : '  - the key is the one of the others (MILLPOND_MESH_KEY); without one only the loopback is used',
    '  - the network interface is the one that they use (--interface), and the port (--port, --wait for slow networks)',
    '  - the network carries multicast; most clouds do not: name a member then (--seeds 10.0.0.7)',
  ].join('\n')
}

/** So long without a new face, and all have been met. */
const QUIET_MS = 500
