/**
 * Loaded into a process by `--import`: how long its main thread computes without looking at its timers. In time of the processor, not
 * of the wall: on a busy machine a thread that waits for a core has done nothing wrong. Linux only.
 *
 * Told in a file of the system's folder for such, once a second: the longest pause so far, and how many were above 20 ms.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LOOK_EVERY_MS = 2
const LONG_MS = 20
const path = `/proc/self/task/${process.pid}/schedstat`
const told = join(tmpdir(), `millpond-pauses-${process.pid}.json`)
const usedMs = () => Number(readFileSync(path, 'latin1').split(' ')[0]) / 1e6

let last = usedMs()
let longestMs = 0
let long = 0
let looks = 0

setInterval(() => {
  const now = usedMs()
  // The start, with its loading and compiling, is no pause of anybody.
  if (looks++ > 500) {
    longestMs = Math.max(longestMs, now - last)
    if (now - last > LONG_MS) long++
  }
  last = now
}, LOOK_EVERY_MS).unref()

setInterval(() => writeFileSync(told, JSON.stringify({ longestMs, long, looks })), 1000).unref()
