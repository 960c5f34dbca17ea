/**
 * The auditor: asks the database again what was just answered from the cache, for a sample of the hits, and counts how many were
 * fresh. It is a reader beside the readers: it hears what the feed tells, and trusts nothing that the cache does with it.
 *
 * A sampled hit listens to the feed from before it was looked up. Some sampled queries are run, one after the other, in one
 * snapshot; then the feed is waited for until it has told everything that the snapshot may have seen. Where it told nothing of the
 * rows that the answer depends on, no change can lie between answer and snapshot, and a difference is a stale hit. Where it did,
 * nobody can say. A difference is given another second in which the feed may tell of it, because with asynchronous commits a change can
 * be seen before it is on disk.
 *
 * The idea is Meta's: "Cache made consistent" (Polaris), 2022.
 */
import type { Clock } from '../../../core/clock.ts'
import { sleep } from '../../../core/clock.ts'
import { OptionError } from '../../../core/errors.ts'
import type { Random } from '../../../core/random.ts'
import type { PostgresFeed } from '../feed.ts'
import type { KeptAnswer } from './answer.ts'
import { AuditCounts, type AuditReport } from './audit-report.ts'
import type { Parse } from './parser.ts'
import type { QueryCall } from './query-call.ts'
import { compareAnswers, freedomOf, type Likeness } from './same-answer.ts'

/** How much is looked at. */
export interface AuditOptions {
  /** The share of hits that is asked again: 0.001 is one of a thousand. Up: more queries, more nines that can be shown. */
  readonly sample: number
  readonly random?: Random
}

/** What an auditor found out about one hit. */
export interface Audit {
  readonly text: string
  readonly verdict: 'fresh' | 'stale' | 'inconclusive'
  /** Why nobody can say. */
  readonly reason?: string
}

export interface AuditorParts extends AuditOptions {
  readonly feed: Pick<PostgresFeed, 'subscribe' | 'covers' | 'now' | 'reached' | 'status'>
  readonly clock: Clock
  readonly parse: () => Promise<Parse>
  /** Runs the queries, one after the other, in one snapshot of a server that has all that the feed has told; `undefined` where it is another. */
  readonly again: (calls: readonly QueryCall[]) => Promise<readonly KeptAnswer[] | undefined>
  /** Voids what is kept under a key. */
  readonly forget: (key: string) => void
  readonly tell: (audit: Audit) => void
}

/** More than this wait for nobody: they are skipped. */
const OPEN_MAX = 16
/** How long the feed may take to get as far as the snapshot. */
const REACH_MS = 5000
/** How long the feed may take to tell of a difference. */
const DOUBT_MS = 1000

export class Auditor {
  private readonly parts: AuditorParts
  private readonly counts = new AuditCounts()
  private readonly open = new Set<SampledRead>()
  private waiting: SampledRead[] = []
  private running = false

  constructor(parts: AuditorParts) {
    if (!(parts.sample > 0 && parts.sample <= 1))
      throw new OptionError('audit.sample', parts.sample, 'give a share above 0 and at most 1')
    this.parts = parts
  }

  get report(): AuditReport {
    return this.counts.report()
  }

  /** Call it before a read: `undefined` when this one is not drawn. */
  begin(depends: { readonly tags: readonly string[] }): SampledRead | undefined {
    const { sample, random = Math.random, feed } = this.parts
    if (random() >= sample) return undefined
    if (this.open.size >= OPEN_MAX) {
      this.counts.skipped++
      return undefined
    }
    // A feed that is closed tells nobody, and proves nothing.
    if (feed.status().state === 'closed') return undefined
    const read = new SampledRead(feed, depends.tags, {
      hit: () => this.add(read),
      closed: () => this.open.delete(read),
    })
    this.open.add(read)
    return read
  }

  private add(read: SampledRead): void {
    this.counts.sampled++
    this.waiting.push(read)
    if (this.running) return
    this.running = true
    void this.run().finally(() => {
      this.running = false
    })
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const reads = this.waiting
      this.waiting = []
      const verdicts = await this.judge(reads).catch((error: Error) => unjudged(reads, error.message))
      for (const [at, read] of reads.entries()) this.conclude(read, verdicts[at]!)
    }
  }

  /** For each whether it was as it is now, or why nobody can say. */
  private async judge(reads: readonly SampledRead[]): Promise<readonly (Likeness | Unjudged)[]> {
    const { feed, clock, parse, again } = this.parts
    const now = await again(reads.map(({ call }) => call))
    if (!now) return unjudged(reads, 'the connection leads to another server, or has settings of its own')
    if (!(await feed.reached(await feed.now(), REACH_MS))) return unjudged(reads, 'the feed is late')
    const parsed = await parse()
    const found = reads.map(({ call, answer }, at) => compareAnswers(answer, now[at]!, freedomOf(parsed(call.text))))
    if (found.includes('other')) await sleep(clock, DOUBT_MS)
    return found
  }

  private conclude(read: SampledRead, likeness: Likeness | Unjudged): void {
    const { text } = read.call
    const touched = read.isTouched ? 'a change was told in between' : undefined
    const [verdict, reason] = verdictOf(likeness, touched)
    read.close()
    this.counts[verdict]++
    // Whoever reads next is told what the database says.
    if (verdict === 'stale') this.parts.forget(read.key)
    this.parts.tell({ text, verdict, ...(reason !== undefined && { reason }) })
  }
}

/** Why a read could not be compared. */
interface Unjudged {
  readonly reason: string
}

function unjudged(reads: readonly SampledRead[], reason: string): Unjudged[] {
  return reads.map(() => ({ reason }))
}

function verdictOf(likeness: Likeness | Unjudged, touched: string | undefined): [Audit['verdict'], string?] {
  if (likeness === 'same') return ['fresh']
  if (likeness === 'other') return touched === undefined ? ['stale'] : ['inconclusive', touched]
  if (likeness === 'unsure') return ['inconclusive', touched ?? 'the server may answer either way']
  return ['inconclusive', likeness.reason]
}

/** A read that may be looked at again; listens for changes of what its answer depends on. */
export class SampledRead {
  key!: string
  call!: QueryCall
  answer!: KeptAnswer
  /** Something was told that may have changed the answer. */
  isTouched = false
  private isHit = false
  private readonly names: ReadonlySet<string>
  private readonly on: { hit(): void; closed(): void }
  private readonly leave: () => void

  constructor(
    feed: Pick<PostgresFeed, 'subscribe' | 'covers'>,
    tags: readonly string[],
    on: { hit(): void; closed(): void },
  ) {
    this.names = new Set(tags.flatMap((tag) => [tag, feed.covers(tag) ?? tag]))
    this.on = on
    const touch = (told: readonly string[]): void => {
      if (told.some((tag) => this.names.has(tag))) this.isTouched = true
    }
    this.leave = feed.subscribe({
      invalidate: touch,
      settle() {},
      reset: () => {
        this.isTouched = true
      },
    })
  }

  /** It was answered from the cache. */
  hit(key: string, call: QueryCall, answer: KeptAnswer): void {
    this.isHit = true
    this.key = key
    this.call = call
    this.answer = answer
    this.on.hit()
  }

  /** The read has ended: without a hit there is nothing to look at. */
  end(): void {
    if (!this.isHit) this.close()
  }

  close(): void {
    this.leave()
    this.on.closed()
  }
}
