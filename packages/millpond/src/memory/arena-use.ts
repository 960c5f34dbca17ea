/**
 * When and how often an item was used, in one word of its header: the second of its last use; or, in a table whose policy
 * counts uses, the minute of it and a counter of eight bits that grows ever slower and fades by one a minute.
 *
 * The counter is Morris's ("Counting Large Numbers of Events in Small Registers", CACM 1978), with the constants that
 * Redis uses: about a million uses fill it.
 */

/** Grows from here on with the first uses: who comes is not the first to leave. */
export const FREQUENCY_FIRST = 5

/** How a counter grows and fades. */
export interface FrequencyPace {
  /** More: the counter grows slower. 10: full after about a million uses. */
  readonly logFactor: number
  /** Minutes after which it is one less; 0: never. */
  readonly decayMinutes: number
}

export function frequencyOf(word: number): number {
  return word & 255
}

/** A counter's word: minute of the last use, and the counter. */
export function frequencyWord(nowMs: number, frequency: number): number {
  return (minuteOf(nowMs) << 8) | frequency
}

/** What a counter is now, after the minutes that have passed. */
export function fadedFrequency(word: number, nowMs: number, { decayMinutes }: FrequencyPace): number {
  if (decayMinutes === 0) return word & 255
  const minutes = (minuteOf(nowMs) - ((word >>> 8) & 0xffff)) & 0xffff
  return Math.max(0, (word & 255) - Math.floor(minutes / decayMinutes))
}

/** The word after one more use. `chance`: from 0 to 1. */
export function usedOnce(word: number, nowMs: number, pace: FrequencyPace, chance: number): number {
  const frequency = fadedFrequency(word, nowMs, pace)
  const grows = frequency < 255 && chance < 1 / (Math.max(0, frequency - FREQUENCY_FIRST) * pace.logFactor + 1)
  return frequencyWord(nowMs, grows ? frequency + 1 : frequency)
}

function minuteOf(nowMs: number): number {
  return Math.floor(nowMs / 60_000) & 0xffff
}
