/** Turns a loop into a turn that measures the time of one operation, with as many operations as a turn should last. */

/** Which time is measured: `cpu` is what the process used (all threads, so garbage collection counts); `wall` is elapsed. */
export type TimeKind = 'cpu' | 'wall'

export interface TimedOptions {
  /** Default `cpu`, which other programs on the machine disturb least. */
  readonly time?: TimeKind
  /** How long a turn should last, in milliseconds. Default 60: long against the microsecond steps of CPU time. */
  readonly turnMs?: number
}

/** Nanoseconds of one operation, measured anew at each call. `loop` does the given number of operations. */
export function timed(
  loop: (count: number) => void | Promise<void>,
  options: TimedOptions = {},
): () => Promise<number> {
  const { time = 'cpu', turnMs = 60 } = options
  let count = 16
  let calibrated = false
  return async () => {
    while (!calibrated) {
      const { wallNs } = await run(loop, count)
      calibrated = wallNs > turnMs * 2.5e5
      count = nextCount(count, wallNs, turnMs)
    }
    const { cpuNs, wallNs } = await run(loop, count)
    const figure = (time === 'cpu' ? cpuNs : wallNs) / count
    count = nextCount(count, wallNs, turnMs)
    return figure
  }
}

/** Up to four times as many as before: the first runs are slow, and a count made from them alone would be too small. */
function nextCount(count: number, wallNs: number, turnMs: number): number {
  const wanted = (count * turnMs * 1e6) / Math.max(wallNs, 1)
  return Math.max(1, Math.round(Math.min(wanted, count * 4)))
}

async function run(
  loop: (count: number) => void | Promise<void>,
  count: number,
): Promise<{ cpuNs: number; wallNs: number }> {
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  const done = loop(count)
  if (done !== undefined) await done
  const wallNs = Number(process.hrtime.bigint() - start)
  const { user, system } = process.cpuUsage(cpu)
  return { cpuNs: (user + system) * 1000, wallNs }
}
