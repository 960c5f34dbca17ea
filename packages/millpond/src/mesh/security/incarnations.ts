import type { KeyObject } from 'node:crypto'
import type { PeerId } from '../link/link.ts'
import { writePeerId } from '../wire/packet.ts'
import { deriveKey, type RingKey } from './keyring.ts'
import { ReplayWindow } from './replay-window.ts'

/** A sender whose packets were authentic: its keys, what of it was seen, and whether it has proved to be alive. */
export class Incarnation {
  readonly id: PeerId
  readonly salt: number
  readonly window: ReplayWindow = new ReplayWindow()
  proven = false
  usedAt = 0
  #lastKey: RingKey | undefined
  #lastDerived: KeyObject | undefined
  readonly #derived = new Map<RingKey, KeyObject>()

  constructor(id: PeerId, salt: number) {
    this.id = id
    this.salt = salt
  }

  /** The key of this sender under a key of the ring. */
  key(ringKey: RingKey): KeyObject {
    if (ringKey === this.#lastKey) return this.#lastDerived!
    let derived = this.#derived.get(ringKey)
    if (derived === undefined) {
      derived = packetKey(ringKey, this.id, this.salt)
      this.#derived.set(ringKey, derived)
    }
    this.#lastKey = ringKey
    this.#lastDerived = derived
    return derived
  }
}

/**
 * The senders that are known, bounded: living ones and, apart, those who have yet to prove that they live. Recorded packets of dead
 * peers can push out only the latter.
 */
export class Incarnations {
  readonly #proven = new Map<PeerId, Incarnation>()
  readonly #unproven = new Map<PeerId, Incarnation>()
  #uses = 0

  get(id: PeerId): Incarnation | undefined {
    const known = this.#proven.get(id) ?? this.#unproven.get(id)
    if (known !== undefined) known.usedAt = ++this.#uses
    return known
  }

  /** Keeps a sender of whom an authentic packet came. */
  add(incarnation: Incarnation): void {
    incarnation.usedAt = ++this.#uses
    makeRoom(this.#unproven, UNPROVEN_MAX)
    this.#unproven.set(incarnation.id, incarnation)
  }

  /** It lives. */
  prove(id: PeerId): void {
    const incarnation = this.#unproven.get(id)
    if (incarnation === undefined) return
    this.#unproven.delete(id)
    makeRoom(this.#proven, PROVEN_MAX)
    incarnation.proven = true
    this.#proven.set(id, incarnation)
  }

  delete(id: PeerId): void {
    this.#proven.delete(id)
    this.#unproven.delete(id)
  }

  get size(): number {
    return this.#proven.size + this.#unproven.size
  }
}

/** The key that one process life seals its packets with. */
export function packetKey(ringKey: RingKey, id: PeerId, salt: number): KeyObject {
  const context = Buffer.alloc(10)
  writePeerId(context, id, 0)
  context.writeUInt16LE(salt, 8)
  return deriveKey(ringKey.secret, new Uint8Array(0), 'packet', context)
}

/** More than any mesh has members: 8 MiB of windows at most. */
const PROVEN_MAX = 1024
const UNPROVEN_MAX = 64

/** Drops the one that was longest silent. */
function makeRoom(incarnations: Map<PeerId, Incarnation>, max: number): void {
  if (incarnations.size < max) return
  let oldest: Incarnation | undefined
  for (const one of incarnations.values()) if (oldest === undefined || one.usedAt < oldest.usedAt) oldest = one
  if (oldest !== undefined) incarnations.delete(oldest.id)
}
