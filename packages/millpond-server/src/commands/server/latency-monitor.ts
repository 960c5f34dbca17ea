/** Events that took longer than `latency-monitor-threshold`: what LATENCY tells. */

/** So many are kept of each event. */
const SAMPLES_MAX = 160

export interface LatencySample {
  readonly atSeconds: number
  ms: number
}

/** The samples of one event, oldest first. Two of the same second are one, the longer. */
export interface LatencyEvent {
  readonly samples: LatencySample[]
  maxMs: number
}

export class LatencyMonitor {
  readonly events: Map<string, LatencyEvent> = new Map()

  /** An event took so long, at a moment of the wall clock. */
  add(name: string, ms: number, nowMs: number): void {
    const event = this.events.get(name) ?? { samples: [], maxMs: 0 }
    this.events.set(name, event)
    event.maxMs = Math.max(event.maxMs, ms)
    const atSeconds = Math.floor(nowMs / 1000)
    const last = event.samples.at(-1)
    if (last?.atSeconds === atSeconds) last.ms = Math.max(last.ms, ms)
    else event.samples.push({ atSeconds, ms })
    if (event.samples.length > SAMPLES_MAX) event.samples.shift()
  }

  /** Forgets events: of these names, or all. Returns how many. */
  reset(names: readonly string[]): number {
    let count = 0
    for (const name of names.length > 0 ? names : [...this.events.keys()]) {
      if (this.events.delete(name)) count++
    }
    return count
  }
}
