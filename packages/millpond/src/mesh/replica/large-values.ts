import { type Clock, timeLimit } from '../../core/clock.ts'
import { MeshError } from '../../core/errors.ts'
import type { Link, LinkStream, PeerId } from '../link/link.ts'
import { BodyReader, BodyWriter, type Operation } from './body.ts'
import { hashOf } from './drafts.ts'
import { modeByte } from './map-mode.ts'
import type { MapState } from './map-state.ts'
import type { Values } from './values.ts'

export interface LargeValuesOptions {
  /** Opens a stream on which the other side's `serve` answers. */
  readonly connect: (to: PeerId) => Promise<LinkStream>
  readonly link: Link
  readonly clock: Clock
  readonly values: Values
  /** Longer ones are not fetched, whatever a peer announces. */
  readonly valueBytesMax: number
  /** The map of a name, if there is one here. */
  readonly find: (name: string) => MapState | undefined
}

/**
 * Values that are too long for a message. Their change is announced with size and hash, and who wants the value asks for it on a
 * stream: whoever announced it, its origin, any other peer that is alive. Until it has come the older value stays.
 *
 * Of one key only the newest announcement is followed. At most `FETCHES_MAX` values are on their way at a time, and as many wait as
 * `WAITING_MAX` says; what is beyond that, or cannot be fetched, is left to the comparison of states.
 */
export class LargeValues {
  readonly #options: LargeValuesOptions
  readonly #wanted = new Map<string, Wanted>()
  #fetching = 0
  #isClosed = false

  constructor(options: LargeValuesOptions) {
    this.#options = options
  }

  /** Whether any value is on its way or waits for its turn. */
  get isBusy(): boolean {
    return this.#wanted.size > 0
  }

  /** A value was announced. */
  announced(map: MapState, operation: Operation, origin: PeerId, from: PeerId): void {
    const id = `${map.name}\0${operation.key}`
    const known = this.#wanted.get(id)
    if (known && known.operation.version >= operation.version) return
    if (operation.sizeBytes > this.#options.valueBytesMax || (!known && this.#wanted.size >= WAITING_MAX)) {
      map.mergeUnfetched(copyOf(operation, origin), from)
      return
    }
    const atMs = this.#options.clock.monotonic()
    this.#wanted.set(id, { id, map, operation: copyOf(operation, origin), from, atMs, isRunning: false })
    this.#start()
  }

  /** Answers a peer's question for a value. */
  async serve(stream: LinkStream, request: Uint8Array): Promise<void> {
    const bytes = this.#answer(request)
    await stream.write(Uint8Array.of(bytes ? FOUND : NOT_FOUND))
    for (let at = 0; bytes && at < bytes.length; at += CHUNK_BYTES)
      await stream.write(bytes.subarray(at, at + CHUNK_BYTES))
    stream.end()
  }

  close(): void {
    this.#isClosed = true
    this.#wanted.clear()
  }

  #answer(request: Uint8Array): Uint8Array | undefined {
    const reader = new BodyReader()
    reader.open(request)
    if (!reader.next()) return undefined
    const entry = this.#options.find(reader.key)?.ledger.find(reader.next() ? reader.key : '')
    if (entry?.state !== 'held' || entry.version !== reader.version || entry.origin !== reader.origin) return undefined
    return this.#options.values.bytes(entry)
  }

  #start(): void {
    for (const wanted of this.#wanted.values()) {
      if (this.#fetching >= FETCHES_MAX) return
      if (!wanted.isRunning) void this.#fetch(wanted)
    }
  }

  async #fetch(wanted: Wanted): Promise<void> {
    wanted.isRunning = true
    this.#fetching++
    const bytes = await this.#fromAnyone(wanted)
    this.#fetching--
    if (this.#isClosed) return
    const { id, map, operation, from, atMs } = wanted
    // Otherwise a newer value has been announced meanwhile.
    if (this.#wanted.get(id) === wanted) {
      this.#wanted.delete(id)
      const lifeMs = Math.max(1, operation.lifeMs - (this.#options.clock.monotonic() - atMs))
      if (bytes) {
        map.counters.fetched++
        map.merge({ ...operation, kind: 'set', bytes, lifeMs }, from, true, true)
      } else map.mergeUnfetched(operation, from)
    }
    this.#start()
  }

  async #fromAnyone({ map, operation, from }: Wanted): Promise<Uint8Array | undefined> {
    const { link, clock } = this.#options
    const others = link.peers().filter(({ state }) => state === 'alive')
    const sources = new Set([from, operation.origin!, ...others.map(({ id }) => id)])
    sources.delete(link.self)
    for (const source of [...sources].slice(0, SOURCES_MAX)) {
      let stream: LinkStream | undefined
      const late = (): never => {
        stream?.destroy()
        throw new MeshError(`a value of map ${map.name} did not come within ${FETCH_MS_MAX} ms`)
      }
      try {
        const fetch = async (): Promise<Uint8Array | undefined> => {
          stream = await this.#options.connect(source)
          return await this.#read(stream, map, operation)
        }
        const bytes = await timeLimit(clock, FETCH_MS_MAX, fetch, late)
        if (bytes) return bytes
      } catch {
        // The next one may have it.
      } finally {
        stream?.destroy()
      }
    }
    return undefined
  }

  /** Asks for the value and reads it. Undefined where the peer does not have this very value. */
  async #read(stream: LinkStream, map: MapState, operation: Operation): Promise<Uint8Array | undefined> {
    await stream.write(requestOf(map, operation))
    if ((await stream.read())?.[0] !== FOUND) return undefined
    const bytes = new Uint8Array(operation.sizeBytes)
    let length = 0
    for (let chunk = await stream.read(); chunk; chunk = await stream.read()) {
      if (length + chunk.length > bytes.length) return undefined
      bytes.set(chunk, length)
      length += chunk.length
      if (length === bytes.length) break
    }
    return length === bytes.length && Buffer.compare(hashOf(bytes), operation.bytes!) === 0 ? bytes : undefined
  }
}

interface Wanted {
  readonly id: string
  readonly map: MapState
  readonly operation: Operation
  readonly from: PeerId
  /** When it was announced. */
  readonly atMs: number
  isRunning: boolean
}

function requestOf(map: MapState, { key, version, origin }: Operation): Uint8Array {
  const writer = new BodyWriter(REQUEST_BYTES_MAX)
  writer.begin(REQUEST_BYTES_MAX, 0)
  const rest = {
    base: Number.POSITIVE_INFINITY,
    lifeMs: Number.POSITIVE_INFINITY,
    memoryMs: undefined,
    bytes: undefined,
  }
  writer.add(map.name, modeByte(map.mode), { kind: 'void', key, version, origin, ...rest, sizeBytes: 0 })
  return Uint8Array.from(writer.body)
}

/** The operation itself is read into again. */
function copyOf(operation: Operation, origin: PeerId): Operation {
  const { kind, key, version, base, lifeMs, memoryMs, bytes, sizeBytes } = operation
  return { kind, key, version, origin, base, lifeMs, memoryMs, bytes: Uint8Array.from(bytes!), sizeBytes }
}

const FOUND = 1
const NOT_FOUND = 0
const CHUNK_BYTES = 256 * 1024
const REQUEST_BYTES_MAX = 16 * 1024
const FETCHES_MAX = 4
const WAITING_MAX = 1024
const SOURCES_MAX = 5
const FETCH_MS_MAX = 30_000
