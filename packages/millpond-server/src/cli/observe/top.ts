/** `millpond top`: a service, looked at again and again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from 'millpond/service'
import { columns } from '../columns.ts'
import { bytesText, usedText } from '../print.ts'
import { withService } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'
import { Screen } from '../screen.ts'
import { type Look, look, type Rates, ratesBetween } from './info.ts'

/** Looks until it is told to stop, or so many times. */
export async function top(flags: ReachFlags & { every: number; count?: number }): Promise<void> {
  await withService(flags, async (service) => {
    await service.ready()
    const screen = new Screen(!flags.json)
    try {
      await watch(service, screen, flags)
    } finally {
      screen.close()
    }
  })
}

async function watch(
  service: Service,
  screen: Screen,
  { every, count: turns, json }: ReachFlags & { every: number; count?: number },
): Promise<void> {
  let before = await look(service)
  for (let turn = 1; turn <= (turns ?? Number.POSITIVE_INFINITY); turn++) {
    await sleep(every * 1000, undefined, { signal: screen.signal }).catch(() => {})
    if (screen.signal.aborted) return
    const now = await look(service)
    const rates = ratesBetween(before, now)
    if (json) process.stdout.write(`${JSON.stringify({ ...plain(now), ...rates })}\n`)
    else if (screen.isDrawn) screen.draw(picture(`${service.cache} at ${service.place}`, now, rates))
    else process.stdout.write(`${summary(now, rates)}\n`)
    before = now
  }
}

/** What is so now; what was counted since the start is told as rates. */
function plain({ clients, blocked, usedBytes, maxBytes, keys }: Look): object {
  return { clients, blocked, usedBytes, maxBytes, keys }
}

export function picture(where: string, now: Look, rates: Rates): string[] {
  const share = now.maxBytes > 0 ? Math.min(1, now.usedBytes / now.maxBytes) : 0
  const full = '█'.repeat(Math.round(share * BAR)).padEnd(BAR, '░')
  return [
    `millpond: ${where}`,
    '',
    `  memory    ${full} ${usedText(now.usedBytes, now.maxBytes)}`,
    `  keys      ${count(now.keys)}, a second ${count(rates.expired)} expire and ${count(rates.evicted)} are evicted`,
    `  hit rate  ${percent(rates.hitRate)}`,
    `  commands  ${count(rates.commands)} a second`,
    `  network   ${bytesText(rates.bytesIn)} in, ${bytesText(rates.bytesOut)} out a second`,
    `  clients   ${count(now.clients)}, of them ${count(now.blocked)} wait`,
    '',
    ...columns(
      ['command', 'a second', 'µs each'],
      rates.calls.map(({ name, calls, microseconds }) => [name, Math.round(calls), Number(microseconds.toFixed(1))]),
    ),
  ]
}

function summary(now: Look, rates: Rates): string {
  return [
    `${count(rates.commands)} commands/s`,
    `hit rate ${percent(rates.hitRate)}`,
    `${count(now.keys)} keys`,
    `${usedText(now.usedBytes, now.maxBytes)}`,
    `${count(now.clients)} clients`,
  ].join(' | ')
}

const BAR = 30

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function percent(share: number | undefined): string {
  return share === undefined ? 'no reads' : `${(share * 100).toFixed(1)} %`
}
