/** What a command must have for itself while it runs: nothing, its keys, or everything. And which of them a worker can run. */
import type { CommandEntry, CommandTable } from '../commands/command-table.ts'
import { keyPlaces } from '../commands/key-places.ts'
import type { Arguments } from '../engine/arguments.ts'
import type { Keyspace } from '../engine/keyspace.ts'

export const NEED = {
  /** It touches no keys, or changes with one call of the arena all that it changes. */
  NOTHING: 0,
  /** Only keys that it names. */
  KEYS: 1,
  EVERYTHING: 2,
} as const
export type Need = (typeof NEED)[keyof typeof NEED]

/** Commands about keys of any type that look at nothing but the keys that they name. */
const OF_ANY_TYPE = [
  ...['del', 'unlink', 'exists', 'touch', 'persist', 'expire', 'pexpire', 'expireat', 'pexpireat'],
  ...['ttl', 'pttl', 'expiretime', 'pexpiretime'],
]
const WITHOUT_KEYS = new Set(['ping', 'echo', 'select', 'multi', 'publish', 'spublish', 'time'])
/** Chapters whose commands look at nothing but the keys that they name. */
const OF_THEIR_KEYS: ReadonlySet<string> = new Set(
  'string bitmap hyperloglog hash list set sorted_set stream geo'.split(' '),
)
/** What can be done where the collections are not: it changes strings, or knows of a key only whether it is there. */
const OF_STRINGS: ReadonlySet<string> = new Set(['string', 'bitmap', 'hyperloglog'])

/** Those that make one call of the arena when they have one key. Others read and then write. */
const AT_ONE_CALL = new Set(
  'get strlen del unlink exists touch ttl pttl expiretime pexpiretime setex psetex'.split(' '),
)

export class Needs {
  /** By the number of the command. */
  readonly #needs: Uint8Array
  readonly #atOneCall: Uint8Array
  readonly #set: CommandEntry | undefined
  readonly #canWork: Uint8Array

  constructor(commands: CommandTable) {
    const { entries } = commands
    const column = (of: (entry: CommandEntry) => number | boolean): Uint8Array =>
      Uint8Array.from(entries, (entry) => Number(of(entry)))
    this.#needs = column(needOf)
    this.#atOneCall = column(({ fullName }) => AT_ONE_CALL.has(fullName))
    this.#canWork = column((entry) => needOf(entry) !== NEED.EVERYTHING && canWork(entry))
    this.#set = commands.named('set')
  }

  of(entry: CommandEntry, args: Arguments): Need {
    const need = this.#needs[entry.id] as Need
    if (need !== NEED.KEYS) return need
    if (entry === this.#set) return isOneCall(args) ? NEED.NOTHING : NEED.KEYS
    return this.#atOneCall[entry.id] === 1 && isOfOneKey(entry, args) ? NEED.NOTHING : NEED.KEYS
  }

  /** Whether a worker can run it. */
  canWork({ id }: CommandEntry): boolean {
    return this.#canWork[id] === 1
  }
}

function needOf({ command, fullName, mayBlock }: CommandEntry): Need {
  if (WITHOUT_KEYS.has(fullName)) return NEED.NOTHING
  const ofItsKeys = OF_THEIR_KEYS.has(command.group) || OF_ANY_TYPE.includes(fullName)
  return ofItsKeys && !mayBlock && command.keys !== undefined ? NEED.KEYS : NEED.EVERYTHING
}

function canWork({ command, fullName, parent }: CommandEntry): boolean {
  if (parent !== undefined) return false
  return OF_STRINGS.has(command.group) || OF_ANY_TYPE.includes(fullName) || fullName === 'ping' || fullName === 'echo'
}

/** SET with no options, or only with a time to live. */
function isOneCall(args: Arguments): boolean {
  return args.count === 3 || (args.count === 5 && (args.is(3, 'ex') || args.is(3, 'px')))
}

function isOfOneKey({ arity }: CommandEntry, args: Arguments): boolean {
  return arity > 0 || args.count === 2
}

/** Holds the parts of the arena that a command's keys lie in, until `Cache.release`. */
export function holdKeys(db: Keyspace, { command }: CommandEntry, args: Arguments): void {
  const { cache } = db
  if (command.keysOf === undefined && isFirstWord(command.keys)) {
    cache.hold(db.stripeOf(args.span(1)))
    return
  }
  const stripes = keyPlaces(command, args).map(({ place }) => db.stripeOf(args.span(place)))
  for (const stripe of stripes.sort((one, other) => one - other)) cache.hold(stripe)
}

function isFirstWord(keys: CommandEntry['command']['keys']): boolean {
  return keys?.length === 1 && keys[0]!.first === 1 && keys[0]!.last === 1
}
