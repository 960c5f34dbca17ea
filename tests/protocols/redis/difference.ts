/** Gives the same random commands to two servers, and finds the first reply that differs. */
import { randomCommand } from './commands.ts'
import type { Random } from './random.ts'
import { partsOf, type RawClient } from './raw-client.ts'

/** Replies whose parts have no order that is promised, SORT where two elements weigh the same; pairs stay together. */
const UNORDERED = /^(SORT|SMEMBERS|SINTER|SUNION|SDIFF|KEYS|HKEYS|HVALS)$/
const PAIRS = /^HGETALL$/
const TIMES = /^P?(EXPIRETIME|TTL)$/
const TIME_MS = 60_000
const ENCODING = /^\$\d+\r\n(listpack|skiplist)\r\n$/
const BATCH = 100

/** What one server answered, and the other one did not. */
export interface Difference {
  readonly command: readonly string[]
  readonly ours: string
  readonly theirs: string
  /** The commands before it, from the last time that all was emptied. */
  readonly before: readonly (readonly string[])[]
}

/** Runs `count` commands; `undefined`: all replies were the same. */
export async function difference(
  random: Random,
  count: number,
  protocol: 2 | 3,
  ours: RawClient,
  theirs: RawClient,
): Promise<Difference | undefined> {
  const begin = [['HELLO', String(protocol)], ['FLUSHALL'], ['SELECT', '0']]
  await Promise.all([ours.send(begin), theirs.send(begin)])
  const before: string[][] = []
  for (let left = count; left > 0; left -= BATCH) {
    const commands = Array.from({ length: Math.min(left, BATCH) }, () => randomCommand(random))
    const [one, other] = await Promise.all([ours.send(commands), theirs.send(commands)])
    for (const [at, command] of commands.entries()) {
      if (!isSame(command, one[at]!, other[at]!)) {
        return { command, ours: one[at]!, theirs: other[at]!, before }
      }
      before.push(command)
    }
  }
  return undefined
}

function isSame(command: readonly string[], ours: string, theirs: string): boolean {
  if (TIMES.test(command[0]!) && ours.startsWith(':') && theirs.startsWith(':')) {
    // The two servers got the command that set it at moments of their own.
    return Math.abs(Number(ours.slice(1)) - Number(theirs.slice(1))) < TIME_MS
  }
  // To sort a sorted set Redis changes how it keeps it.
  if (ENCODING.test(ours) && ENCODING.test(theirs)) return true
  return normal(command, ours) === normal(command, theirs)
}

function normal(command: readonly string[], reply: string): string {
  const upper = command[0]!.toUpperCase()
  if (UNORDERED.test(upper)) return partsOf(reply).sort().join('')
  if (!PAIRS.test(upper)) return reply
  const parts = partsOf(reply)
  const pairs = parts.filter((_, at) => at % 2 === 0).map((part, at) => part + (parts[at * 2 + 1] ?? ''))
  return pairs.sort().join('')
}

/** Leaves out what is not needed for a difference, so that it can be read. */
export async function shortest(
  found: Difference,
  protocol: 2 | 3,
  ours: RawClient,
  theirs: RawClient,
): Promise<Difference> {
  let { before } = found
  let result = found
  const differs = async (commands: readonly (readonly string[])[]): Promise<boolean> => {
    const all = [['HELLO', String(protocol)], ['FLUSHALL'], ['SELECT', '0'], ...commands, found.command]
    const [one, other] = await Promise.all([ours.send(all), theirs.send(all)])
    if (isSame(found.command, one.at(-1)!, other.at(-1)!)) return false
    result = { command: found.command, ours: one.at(-1)!, theirs: other.at(-1)!, before: commands }
    return true
  }
  for (let size = before.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = before.length - size; from >= 0; from -= size) {
      const without = [...before.slice(0, from), ...before.slice(from + size)]
      if (await differs(without)) before = without
    }
  }
  return result
}
