import type { Clock, Timer } from '../../core/clock.ts'
import { MeshError } from '../../core/errors.ts'
import type { LinkStream, PeerId } from '../link/link.ts'
import type { Repairable } from '../link/repairable.ts'
import { differing, readBuckets, rootOf, writeBuckets } from './digest.ts'
import type { History } from './history.ts'
import {
  type Opening,
  RepairMessage,
  readAnswer,
  readOpening,
  type Standing,
  type Verdict,
  writeAnswer,
  writeMessage,
  writeOpening,
} from './messages.ts'
import type { Slices } from './slices.ts'

/** How a comparison ended: states are equal; they were, but changes went on; or nothing was done, as the other was in no state to. */
export type Outcome = 'equal' | 'changed meanwhile' | 'busy' | 'not ready'

/** What comparisons need of their process. */
export interface ComparisonParts {
  readonly self: PeerId
  readonly state: Repairable
  readonly history: History
  readonly clock: Clock
  readonly slices: Slices
  isReady(): boolean
  /** See `Life`. */
  bornMs(): number
  /** This process gives way: it drops its state now, and has to join again. */
  wipe(from: PeerId): void
}

/** Bodies of operations are about that long: some hundred entries, a millisecond. */
const BODY_BYTES = 32 * 1024
/** Buckets that are searched for recent changes before others get a turn. */
const RECENT_BUCKETS = 64
/** Who was in step in this time counts as company. */
const COMPANY_MS = 30_000
/** So long without a message of the other side, and it is given up. */
const SILENCE_MS_MAX = 5000

/**
 * Two processes make their states equal over one stream: hashes of buckets go up, then operations of those buckets that differ go both
 * ways at once. Merging is idempotent, so changes may go on meanwhile, and what was carried when a stream breaks stays.
 *
 * Where both were apart for longer than deletions are remembered, merging would bring back what one has deleted. Then the side with
 * less company gives way: it drops what it holds, and takes the other's.
 */
export class Comparison {
  readonly #parts: ComparisonParts
  readonly #stream: LinkStream
  readonly #peer: PeerId
  #watch: Timer | undefined
  #heardMs: number

  constructor(parts: ComparisonParts, stream: LinkStream, peer: PeerId) {
    this.#parts = parts
    this.#stream = stream
    this.#peer = peer
    this.#heardMs = parts.clock.monotonic()
  }

  /**
   * The side that opened the stream. Rejects where the stream broke or the other was silent.
   *
   * @param recentMs both were in step so long ago, so only later changes need to be carried; `undefined`: all
   */
  async open(recentMs: number | undefined): Promise<Outcome> {
    return await this.#watched(async () => {
      const { state } = this.#parts
      const standing = this.#standing()
      await this.#stream.write(writeOpening({ ...standing, recentMs, hashes: state.hashes() }))
      const answer = readAnswer(await this.#next(), state.buckets)
      const { verdict } = answer
      if (verdict === 'busy' || verdict === 'not ready') return verdict
      // Unless another comparison has made it do so meanwhile: then this one only brings more.
      if (verdict === 'opener gives way' && this.#parts.bornMs() === standing.bornMs) this.#parts.wipe(this.#peer)
      const buckets = readBuckets(answer.buckets, state.buckets)
      const recent = verdict === 'merge' ? recentMs : undefined
      const sending = this.#sendAll(verdict === 'opener gives way' ? [] : buckets, recent)
      const [, end] = await Promise.all([sending.then(() => this.#sendEnd()), this.#receive()])
      this.#inStep(answer)
      return this.#outcome(end)
    })
  }

  /** The side that accepted. `refuse`: it has no time. */
  async accept(refuse: boolean): Promise<Outcome> {
    return await this.#watched(async () => {
      const { state } = this.#parts
      const opening = readOpening(await this.#next(), state.buckets)
      const verdict = refuse ? 'busy' : this.#judge(opening)
      const standing = this.#standing()
      const buckets = this.#concerned(verdict, opening)
      await this.#stream.write(writeAnswer({ ...standing, verdict, buckets: writeBuckets(buckets, state.buckets) }))
      if (verdict === 'busy' || verdict === 'not ready') return verdict
      if (verdict === 'accepter gives way') this.#parts.wipe(this.#peer)
      const recent = verdict === 'merge' ? opening.recentMs : undefined
      const sending = this.#sendAll(verdict === 'accepter gives way' ? [] : buckets, recent)
      const [, end] = await Promise.all([sending, this.#receive()])
      await this.#sendEnd()
      this.#inStep(opening)
      return this.#outcome(end)
    })
  }

  /** What has to be done, as the accepting side sees it. */
  #judge(opening: Opening): Verdict {
    const { self, state, history } = this.#parts
    if (!this.#parts.isReady()) return 'not ready'
    const { company: ours, bornMs, nowMs } = this.#standing()
    const apartMs = history.apartMs({ id: self, bornMs, nowMs }, { ...opening, id: this.#peer }, opening.history)
    if (apartMs <= state.awayMsMax || isEmpty(opening.hashes) || isEmpty(state.hashes())) return 'merge'
    const theirs = opening.company
    const oursWins = ours.size === theirs.size ? ours.lowest < theirs.lowest : ours.size > theirs.size
    return oursWins || !opening.ready ? 'opener gives way' : 'accepter gives way'
  }

  #concerned(verdict: Verdict, opening: Opening): number[] {
    const { state } = this.#parts
    if (verdict === 'busy' || verdict === 'not ready') return []
    if (verdict === 'merge') return differing(state.hashes(), opening.hashes)
    return Array.from({ length: state.buckets }, (_, bucket) => bucket)
  }

  #standing(): Standing {
    const { self, state, history, clock } = this.#parts
    const nowMs = clock.monotonic()
    // Digests come three times as often, and who was apart for too long is not among them.
    const company = history.company(self, nowMs, Math.min(COMPANY_MS, state.awayMsMax * 0.75))
    return { ready: this.#parts.isReady(), bornMs: this.#parts.bornMs(), nowMs, history, company }
  }

  async #sendAll(buckets: readonly number[], recentMs: number | undefined): Promise<void> {
    // What is recent may be rare: a few buckets at a time, so that looking for it is not one long piece of work.
    const step = recentMs === undefined ? Math.max(1, buckets.length) : RECENT_BUCKETS
    for (let at = 0; at < buckets.length; at += step) {
      for (const body of this.#parts.state.bodies(buckets.slice(at, at + step), BODY_BYTES, recentMs)) {
        await this.#stream.write(writeMessage(RepairMessage.body, body))
        this.#heardMs = this.#parts.clock.monotonic()
        await this.#parts.slices.pause()
      }
      await this.#parts.slices.pause()
    }
  }

  async #sendEnd(): Promise<void> {
    const root = Buffer.from(rootOf(this.#parts.state.hashes()), 'hex')
    await this.#stream.write(writeMessage(RepairMessage.end, root))
  }

  /** Merges what comes, up to the end. Returns the other's root. */
  async #receive(): Promise<string> {
    for (;;) {
      const message = await this.#next()
      if (message[0] === RepairMessage.end) return Buffer.from(message.subarray(1)).toString('hex')
      if (message[0] !== RepairMessage.body) throw new MeshError('a peer sent something else than operations')
      this.#parts.state.merge(this.#peer, message.subarray(1))
      await this.#parts.slices.pause()
    }
  }

  #outcome(root: string): Outcome {
    return root === rootOf(this.#parts.state.hashes()) ? 'equal' : 'changed meanwhile'
  }

  #inStep(other: Standing): void {
    const { history, clock } = this.#parts
    const nowMs = clock.monotonic()
    history.merge(other.history, nowMs - other.nowMs)
    history.touch(this.#peer, other.nowMs, nowMs)
  }

  async #next(): Promise<Uint8Array> {
    const message = await this.#stream.read()
    if (message === undefined || message.length === 0) throw new MeshError('a peer ended the comparison')
    this.#heardMs = this.#parts.clock.monotonic()
    return message
  }

  /** Does it, and ends the stream, whatever happens. */
  async #watched(work: () => Promise<Outcome>): Promise<Outcome> {
    this.#look()
    try {
      const outcome = await work()
      this.#stream.end()
      // The other side ends too: only a stream that was read to its end is gone.
      await this.#stream.read().catch(() => undefined)
      this.#stream.destroy()
      return outcome
    } catch (error) {
      this.#stream.destroy()
      throw error
    } finally {
      this.#watch?.cancel()
    }
  }

  #look(): void {
    const { clock } = this.#parts
    this.#watch = clock.after(this.#heardMs + SILENCE_MS_MAX - clock.monotonic(), () => {
      if (clock.monotonic() - this.#heardMs >= SILENCE_MS_MAX) this.#stream.destroy()
      else this.#look()
    })
  }
}

function isEmpty(hashes: Uint32Array): boolean {
  return hashes.every((hash) => hash === 0)
}
