/** Writes at a rate: what is due is sent at each turn of the timer, whatever is still under way. */

import { setTimeout as sleep } from 'node:timers/promises'

/** Calls `write` `perSecond` times a second for a while; resolves when the last one has ended. */
export async function atPace(perSecond: number, forMs: number, write: (count: number) => Promise<void>): Promise<void> {
  const under: Promise<void>[] = []
  const beganAtMs = performance.now()
  const total = Math.round((perSecond * forMs) / 1000)
  while (under.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - beganAtMs) * perSecond) / 1000))
    while (under.length < due) under.push(write(under.length))
    await sleep(1)
  }
  await Promise.all(under)
}
