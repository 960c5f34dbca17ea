import type { Clock, Timer } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { Link, LinkStream, PeerId, PeerInfo } from '../link/link.ts'
import type { Repairable } from '../link/repairable.ts'
import { Comparison, type ComparisonParts, type Outcome } from './comparison.ts'
import { type Digest, readDigest, rootOf, writeDigest } from './digest.ts'
import { History } from './history.ts'
import { RepairPeer } from './repair-peer.ts'
import { Slices } from './slices.ts'

export interface RepairOptions {
  readonly link: Link
  readonly state: Repairable
  readonly clock: Clock
  readonly random: Random
  /** Never joins, and is compared with nobody: it says that it is not ready. Default: false. */
  readonly observes?: boolean
  /** This process was away too long, and takes the state of this peer instead of its own. Default: nothing. */
  readonly onWipe?: (peer: PeerId) => void
  /** A comparison failed; it is tried again. Default: nothing. */
  readonly onFailure?: (peer: PeerId, error: unknown) => void
  /** Gives others a turn of the event loop. Default: `setImmediate`. */
  readonly turn?: () => Promise<void>
}

/** What the repair layer has done so far. */
export interface RepairCounts {
  /** Comparisons that were carried through, whoever opened them. */
  compared: number
  /** Of those: after which both states were equal at once. */
  equal: number
  /** Comparisons that broke. */
  failed: number
  /** Asked for while one side was busy or had not joined. */
  refused: number
  /** Times that this process took another's state instead of its own. */
  wiped: number
  digests: number
}

/**
 * Makes states equal again whatever was lost, and brings newcomers up.
 *
 * Everybody hints at the hash of its whole state: a second after it changed, and every ten seconds. Who knows that messages of a peer were
 * lost, or sees that its hash stays another while nothing changes, opens one stream to that peer and compares (`Comparison`). A newcomer
 * does so with the best donor before it is `joined`. Two comparisons at once at most are opened, and two accepted.
 */
export class Repair {
  readonly counts: RepairCounts = { compared: 0, equal: 0, failed: 0, refused: 0, wiped: 0, digests: 0 }
  readonly #options: RepairOptions
  readonly #parts: ComparisonParts
  readonly #history = new History()
  readonly #peers = new Map<PeerId, RepairPeer>()
  readonly #startedMs: number
  #bornMs: number
  readonly #ready: Promise<void>
  #becomeReady: () => void = () => {}
  #joined = false
  #rounds = 0
  #digestAtMs = 0
  #digestedRoot = ''
  #digestedMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #timerMs = Number.POSITIVE_INFINITY
  #closed = false

  constructor(options: RepairOptions) {
    const { link, state, clock, turn } = options
    this.#options = options
    this.#parts = {
      self: link.self,
      state,
      clock,
      history: this.#history,
      slices: new Slices(clock, turn),
      isReady: () => this.#joined,
      bornMs: () => this.#bornMs,
      wipe: (from) => this.#wipe(from),
    }
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve
    })
    this.#startedMs = this.#bornMs = clock.monotonic()
    this.#later(ALONE_MS)
  }

  /** Whether this process has the state of the mesh now: it has joined, and was not away too long since. */
  get joined(): boolean {
    return this.#joined
  }

  /** Resolves when this process has joined for the first time: it has the state of the mesh, or has found itself alone. */
  caughtUp(): Promise<void> {
    return this.#ready
  }

  /** A peer came, or its state changed. */
  peer(info: PeerInfo): void {
    const peer = this.#peer(info.id)
    const wasAlive = peer.alive
    peer.alive = info.state === 'alive' || info.state === 'suspect'
    peer.slow = info.slow
    peer.roundTripMs = info.roundTripMs ?? Number.POSITIVE_INFINITY
    // Whatever it does from now on is not heard.
    if (wasAlive && !peer.alive) peer.lose()
    if (!wasAlive && peer.alive) this.#excuse(info.id)
    if (!peer.alive && (info.state === 'left' || this.#peers.size > PEERS_MAX)) this.#peers.delete(info.id)
    this.#later(0)
  }

  /** Messages of a peer will never come. */
  lost(from: PeerId): void {
    const peer = this.#peer(from)
    const { clock, random, link } = this.#options
    peer.lose()
    // Both sides may have lost messages of each other: one of them opens first. Who was never met may be a newcomer, and then opens itself.
    const waitMs = !this.#joined
      ? 0
      : this.#history.sinceMs(from, clock.monotonic()) === undefined
        ? NEWCOMER_MS
        : link.self < from
          ? 0
          : SECOND_MS
    peer.notBeforeMs = clock.monotonic() + waitMs + random() * JITTER_MS
    this.#later(0)
  }

  /** A hint of a peer came: its digest. */
  hint(from: PeerId, body: Uint8Array): void {
    const digest = readDigest(body)
    const peer = this.#peers.get(from)
    if (!digest || !peer) return
    const { clock, state } = this.#options
    const nowMs = clock.monotonic()
    if (peer.digest && nowMs - peer.digestAtMs > Math.min(SILENCE_MS, state.awayMsMax)) peer.lose()
    peer.digest = digest
    peer.unready = !digest.ready
    peer.digestAtMs = nowMs
    // While none of its messages are lost, all that it had at that time is here, or on its way.
    if (!peer.lost && peer.alive) this.#history.touch(from, digest.nowMs, nowMs)
    if (this.#joined && digest.ready) this.#weigh(peer, digest, nowMs)
    this.#later(0)
  }

  /** A peer opened a stream to compare. */
  stream(from: PeerId, stream: LinkStream): void {
    const peer = this.#peer(from)
    // Where both opened at once, the lower id's goes on.
    const crossed = peer.opening && this.#options.link.self < from
    const refuse = this.#closed || crossed || peer.accepting || this.accepting >= AT_ONCE
    if (!refuse) peer.accepting = true
    const { losses } = peer
    void this.#compare(peer, losses, (parts) => new Comparison(parts, stream, from).accept(refuse)).finally(() => {
      if (!refuse) peer.accepting = false
      this.#excuse(from)
      this.#later(0)
    })
  }

  /** How many comparisons are under way that peers have opened, to take something or to bring it. */
  get accepting(): number {
    return [...this.#peers.values()].filter(({ accepting }) => accepting).length
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #peer(id: PeerId): RepairPeer {
    let peer = this.#peers.get(id)
    if (!peer) this.#peers.set(id, (peer = new RepairPeer(id)))
    return peer
  }

  get #root(): string {
    return rootOf(this.#options.state.hashes())
  }

  /** Compares a peer's root with ours. One that differs counts only where both stay as they are for a moment. */
  #weigh(peer: RepairPeer, digest: Digest, nowMs: number): void {
    const { state } = this.#options
    const ours = this.#root
    if (digest.root === ours) {
      this.#history.touch(peer.id, digest.nowMs, nowMs)
      if (peer.lost) this.#reply(peer, nowMs)
      peer.settle(peer.losses)
      return
    }
    if (digest.busy || state.isBusy()) return
    peer.differsSinceMs = Math.min(peer.differsSinceMs, nowMs)
    peer.difference = { theirs: digest.root, ours, checkAtMs: nowMs + STEADY_MS }
    if (peer.lost) this.#reply(peer, nowMs)
  }

  /** Tells one peer our digest, so that it learns that the states are equal. */
  #reply(peer: RepairPeer, nowMs: number): void {
    if (nowMs - peer.repliedMs < REPLY_EVERY_MS) return
    peer.repliedMs = nowMs
    this.#options.link.hint(this.#digest(nowMs, this.#root), peer.id)
  }

  /** Who only observes tells so to a peer that may want to compare. */
  #excuse(peer: PeerId): void {
    const { observes, link, clock } = this.#options
    if (observes && !this.#closed) link.hint(this.#digest(clock.monotonic(), this.#root), peer)
  }

  #digest(nowMs: number, root: string): Uint8Array {
    this.counts.digests++
    return writeDigest({ ready: this.#joined, busy: this.#options.state.isBusy(), nowMs, root })
  }

  /** Looks again in so many milliseconds, or sooner. */
  #later(delayMs: number): void {
    const { clock } = this.#options
    const atMs = clock.monotonic() + delayMs
    if (this.#closed || atMs >= this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = atMs
    this.#timer = clock.after(delayMs, () => {
      this.#timerMs = Number.POSITIVE_INFINITY
      this.#look()
    })
  }

  /** Does what is due. */
  #look(): void {
    if (this.#closed) return
    const nowMs = this.#options.clock.monotonic()
    const live = [...this.#peers.values()].filter(({ alive }) => alive)
    const { observes } = this.#options
    if (!this.#joined && !observes) this.#join(live, nowMs)
    else if (this.#joined) for (const peer of live) if (this.#isDue(peer, nowMs)) this.#open(peer)
    this.#tellDigest(nowMs)
    this.#later(
      !observes && (live.some(({ lost, wantsAll, difference }) => lost || wantsAll || difference) || !this.#joined)
        ? EAGER_MS
        : DIGEST_MS,
    )
  }

  #isDue(peer: RepairPeer, nowMs: number): boolean {
    if (peer.opening || peer.accepting || nowMs < peer.notBeforeMs) return false
    // It tells when it has joined.
    if (peer.unready && nowMs - peer.digestAtMs < 2 * DIGEST_MS_MAX) return false
    if (peer.lost || peer.wantsAll) return true
    const { difference } = peer
    if (!difference || nowMs < difference.checkAtMs) return false
    const steady = peer.digest?.root === difference.theirs && this.#root === difference.ours
    // A while later, so that the other has opened first.
    const first = this.#options.link.self < peer.id || nowMs - peer.differsSinceMs > SECOND_DIFFERS_MS
    if (steady && first) return true
    if (!steady) peer.difference = undefined
    return nowMs - peer.differsSinceMs > DIFFERS_MS_MAX
  }

  /** Not joined: takes the state of the best donor, or finds itself alone. */
  #join(live: readonly RepairPeer[], nowMs: number): void {
    if (live.some(({ opening }) => opening)) return
    const waitedMs = nowMs - this.#startedMs
    const unready = live.every((peer) => peer.unready)
    const lowest = live.every(({ id }) => this.#options.link.self < id)
    if (live.length === 0 ? waitedMs >= ALONE_MS : unready && lowest && waitedMs >= UNREADY_MS) {
      this.#becomeJoined()
      return
    }
    const [donor] = live
      .filter(({ notBeforeMs }) => notBeforeMs <= nowMs)
      .sort(
        (one, other) => rank(one) - rank(other) || one.roundTripMs - other.roundTripMs || this.#options.random() - 0.5,
      )
    if (donor) this.#open(donor)
  }

  #becomeJoined(): void {
    this.#joined = true
    this.#becomeReady()
    const nowMs = this.#options.clock.monotonic()
    // Others have sent what the donor had; they say soon that they have the same.
    for (const peer of this.#peers.values()) peer.notBeforeMs = nowMs + NEWCOMER_MS
    this.#digestAtMs = nowMs
    this.#digestedRoot = ''
    this.#later(0)
  }

  #open(peer: RepairPeer): void {
    const opening = [...this.#peers.values()].filter((one) => one.opening).length
    if (opening >= AT_ONCE) return
    peer.opening = true
    const { losses } = peer
    const { link, clock } = this.#options
    const sinceMs = peer.wantsAll || !this.#joined ? undefined : this.#history.sinceMs(peer.id, clock.monotonic())
    const recentMs = sinceMs === undefined ? undefined : sinceMs + RECENT_MARGIN_MS
    void this.#compare(peer, losses, async (parts) => {
      const outcome = await new Comparison(parts, await link.connect(peer.id), peer.id).open(recentMs)
      peer.wantsAll = outcome === 'changed meanwhile' && recentMs !== undefined
      return outcome
    })
      .then((outcome) => {
        if (outcome === 'equal' || outcome === 'changed meanwhile') this.#joinedBy(outcome)
        else this.#putOff(peer, outcome)
      })
      .finally(() => {
        peer.opening = false
        this.#later(0)
      })
  }

  #joinedBy(outcome: Outcome): void {
    if (!this.#joined && (outcome === 'equal' || ++this.#rounds >= JOIN_ROUNDS_MAX)) this.#becomeJoined()
  }

  async #compare(
    peer: RepairPeer,
    losses: number,
    compare: (parts: ComparisonParts) => Promise<Outcome>,
  ): Promise<Outcome | undefined> {
    let outcome: Outcome | undefined
    try {
      outcome = await compare(this.#parts)
    } catch (error) {
      this.counts.failed++
      this.#options.onFailure?.(peer.id, error)
    }
    if (outcome === 'busy' || outcome === 'not ready') this.counts.refused++
    else if (outcome !== undefined) {
      this.counts.compared++
      if (outcome === 'equal') this.counts.equal++
      if (!peer.wantsAll) peer.settle(losses)
    }
    return outcome
  }

  /** A comparison that this side opened came to nothing: it is tried again, later each time. */
  #putOff(peer: RepairPeer, outcome: Outcome | undefined): void {
    const { clock, random } = this.#options
    if (outcome === 'not ready') peer.unready = true
    peer.failures++
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(peer.failures, 10))
    peer.notBeforeMs = clock.monotonic() + waitMs * (0.5 + random())
  }

  #wipe(from: PeerId): void {
    this.counts.wiped++
    this.#bornMs = this.#options.clock.monotonic()
    this.#joined = false
    this.#rounds = 0
    this.#options.state.wipe()
    this.#options.onWipe?.(from)
  }

  /** Tells all the root: when it is another than before, every ten seconds anyway. */
  #tellDigest(nowMs: number): void {
    if (nowMs < this.#digestAtMs) return
    const { clock, link, random, state } = this.#options
    const root = this.#root
    const changed = root !== this.#digestedRoot && !state.isBusy()
    if (changed || nowMs - this.#digestedMs >= Math.min(DIGEST_MS_MAX, state.awayMsMax / 4)) {
      link.hint(this.#digest(nowMs, root))
      this.#digestedRoot = root
      this.#digestedMs = nowMs
    }
    this.#digestAtMs = clock.monotonic() + DIGEST_MS * (0.75 + random() / 2)
  }
}

/** Donors that are ready come first, then those that have not told, then slow ones, then those that are not ready. */
function rank({ digest, unready, slow, failures }: RepairPeer): number {
  return (unready ? 4 : digest ? 0 : 1) + (slow ? 2 : 0) + Math.min(failures, 8)
}

/** Clocks differ, and messages take their time: so much more than the time apart counts as recent. */
const RECENT_MARGIN_MS = 3000
const DIGEST_MS = 1000
const DIGEST_MS_MAX = 10_000
/** Digests come at least every ten seconds: after such a gap, messages may be missing too. */
const SILENCE_MS = 35_000
/** How long both roots have to stay as they are. */
const STEADY_MS = 300
/** Differing for so long, while both change all the time, they are compared anyway. */
const DIFFERS_MS_MAX = 30_000
const SECOND_DIFFERS_MS = 1500
const EAGER_MS = 50
const REPLY_EVERY_MS = 200
/** Nobody was met in this time. */
const ALONE_MS = 500
/** Nobody was met in this time who has a state: they start together. */
const UNREADY_MS = 300
/** A peer that was never met is given so long to join by itself. */
const NEWCOMER_MS = 1000
const SECOND_MS = 40
const JITTER_MS = 10
const RETRY_MS = 50
const RETRY_MS_MAX = 2000
const JOIN_ROUNDS_MAX = 3
const AT_ONCE = 2
const PEERS_MAX = 256
