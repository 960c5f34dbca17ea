/** What is counted of a map as it happens. */
export class MapCounters {
  hits = 0
  misses = 0
  /** Local changes: sets, deletes and clears. */
  written = 0
  /** Operations that went out, after conflation. */
  sent = 0
  /** Operations that came in, as messages or by repair. */
  received = 0
  /** Of those that came in: what changed something here. */
  applied = 0
  /** Of those that changed something: what came by repair. */
  repaired = 0
  conflicts = 0
  evictions = 0
  expirations = 0
  /** Large values that were fetched from a peer, and that could not be. */
  fetched = 0
  fetchFailures = 0
  decodeErrors = 0
  /** How long changes took from the writer's call to here, as far as the two clocks agree. */
  readonly delays: DelayHistogram = new DelayHistogram()
}

/** Counts delays by powers of two: below 1 ms, below 2, below 4 … and the last, from 16 s on. */
export class DelayHistogram {
  readonly counts: number[] = new Array<number>(STEPS).fill(0)

  add(delayMs: number): void {
    const step = delayMs < 1 ? 0 : 32 - Math.clz32(Math.min(delayMs, 2 ** 31))
    this.counts[Math.min(step, STEPS - 1)]!++
  }
}

const STEPS = 16
