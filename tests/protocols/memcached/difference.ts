/** Compares the answers of two servers to the same request: each has its own cas numbers, and its own clock. */
import { framesOf } from './raw-client.ts'

const SECONDS_APART = 3

/** A cas by key, of the server under test and of the other. */
export type CasNumbers = Map<string, readonly [ours: string, theirs: string]>

/** What differs; `undefined`: nothing. Notes the numbers that the two have given. */
export function difference(ours: string, theirs: string, request: string, numbers: CasNumbers): string | undefined {
  const [one, other] = [splitText(ours, request), splitText(theirs, request)]
  if (one.text !== other.text) return whereApart(one.text, other.text)
  if (one.lives.some((life, at) => Math.abs(life - other.lives[at]!) > SECONDS_APART)) {
    return `lives ${one.lives.join()} instead of ${other.lives.join()}`
  }
  for (const [at, [key, cas]] of one.numbers.entries()) numbers.set(key, [cas, other.numbers[at]![1]])
  return undefined
}

/** As `difference`, of binary answers to a request for a key. */
export function binaryDifference(ours: string, theirs: string, key: string, numbers: CasNumbers): string | undefined {
  const [one, other] = [framesOf(ours), framesOf(theirs)]
  if (one.length !== other.length) return `${one.length} answers instead of ${other.length}`
  for (const [at, frame] of one.entries()) {
    const same = other[at]!
    if (frame.rest !== same.rest || (frame.cas === 0n) !== (same.cas === 0n)) {
      return `${shown(frame.rest)} cas ${frame.cas} instead of ${shown(same.rest)} cas ${same.cas}`
    }
    if (frame.cas !== 0n) numbers.set(key, [String(frame.cas), String(same.cas)])
  }
  return undefined
}

interface Split {
  /** With what differs by nature left out. */
  readonly text: string
  readonly lives: readonly number[]
  readonly numbers: readonly (readonly [key: string, cas: string])[]
}

function splitText(answer: string, request: string): Split {
  const lives: number[] = []
  const numbers: [string, string][] = []
  const key = request.split(' ', 2)[1]?.trim() ?? ''
  const text = answer
    .replaceAll(/^(VALUE ([^ ]+) \d+ \d+) (\d+)\r$/gm, (_, head: string, of: string, cas: string) => {
      numbers.push([of, cas])
      return `${head} CAS\r`
    })
    .replaceAll(/^(?:HD|VA \d+|EX|NS|NF)( .*)?\r$/gm, (line) =>
      line
        .replace(/ c(\d+)/, (_, cas: string) => {
          if (cas === '0') return ' c0'
          numbers.push([key, cas])
          return ' CAS'
        })
        .replace(/ t(\d+)/, (_, life: string) => {
          lives.push(Number(life))
          return ' LIFE'
        }),
    )
  return { text, lives, numbers }
}

/** What stands where two texts begin to differ. */
function whereApart(ours: string, theirs: string): string {
  let at = 0
  while (ours[at] === theirs[at]) at++
  const from = Math.max(0, at - 40)
  return `at ${at}: ${shown(ours.slice(from, from + 120))} instead of ${shown(theirs.slice(from, from + 120))}`
}

function shown(text: string): string {
  return JSON.stringify(text.length > 400 ? `${text.slice(0, 400)}… (${text.length})` : text)
}
