/**
 * `npm run example:mesh`: three processes with one dictionary. One is killed, the others go on, it comes back and has everything.
 * Then they trade until Ctrl-C; with `--once` they are compared, and that is the exit code.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { GOODS } from './goods.ts'
import { Market } from './market.ts'
import { Picture } from './picture.ts'

const STALLS = ['ann', 'bob', 'cid'] as const
const { values: options } = parseArgs({ options: { once: { type: 'boolean', default: false } } })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const picture = new Picture(STALLS, process.stdout, process.env)
try {
  await using market = new Market((stall, told) => {
    if (told.kind === 'price') picture.price(stall, told.good, told.price)
  })
  const isWhole = await story(market)
  if (options.once) process.exitCode = isWhole && (await compare(market)) ? 0 : 1
  else if (!stop.signal.aborted) {
    picture.say('they trade on; Ctrl-C ends it')
    await once(stop.signal, 'abort')
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
}

/** Resolves with whether the one that came back had everything. */
async function story(market: Market): Promise<boolean> {
  picture.say('ann, bob and cid start; each has the dictionary `prices` in its own memory')
  await Promise.all(STALLS.map((stall) => open(market, stall)))
  for (const stall of STALLS) market.tell(stall, 'trade')
  picture.say('each changes prices; what one sets, the others have at once')
  await rest(6)
  await market.kill('bob')
  picture.down('bob')
  picture.say('bob was killed, without a good-bye; the others go on')
  await rest(3)
  const { held, tookMs } = await open(market, 'bob')
  const count = Object.keys(held).length
  picture.say(
    `bob is back: ${count} of ${GOODS.length} prices in its memory, ${Math.round(tookMs)} ms after it began to join`,
  )
  market.tell('bob', 'trade')
  await rest(4)
  return count === GOODS.length
}

async function open(market: Market, stall: string) {
  const ready = await market.open(stall)
  picture.up(stall, ready.held)
  return ready
}

/** Quiet first, and then the same values and checksums everywhere. */
async function compare(market: Market): Promise<boolean> {
  await Promise.all(STALLS.map((stall) => market.quiet(stall)))
  const all = await Promise.all(STALLS.map((stall) => market.quiet(stall)))
  const checksums = new Set(all.flatMap(({ checksums }) => checksums))
  const areCompared = all.every(({ checksums }) => checksums.length === STALLS.length)
  const isEqual = areCompared && checksums.size === 1 && all.every(({ held }) => isDeepStrictEqual(held, all[0]!.held))
  picture.say(isEqual ? '✓ all three hold the same' : `✗ they differ: ${JSON.stringify(all)}`)
  return isEqual
}

/** Seconds in which the picture is kept up to date. */
async function rest(seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    await sleep(100, undefined, { signal: stop.signal })
    picture.draw()
  }
}
