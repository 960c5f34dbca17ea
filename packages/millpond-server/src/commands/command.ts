/** A command as data: what dispatch, COMMAND, HELP, ACL categories, the log and the reference page are derived from. */
import type { Arguments } from '../engine/arguments.ts'
import type { Reply } from '../engine/reply.ts'
import type { ValueType } from '../engine/value.ts'
import type { Client } from './client.ts'

/** As COMMAND INFO tells them. */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'no_mandatory_keys'
  | 'no_multi'
  | 'allow_busy'
  | 'movablekeys'

/** ACL categories that do not follow from flags or the group: `@read`, `@fast` and so on are derived. */
export type Category =
  | 'admin'
  | 'keyspace'
  | 'bitmap'
  | 'hyperloglog'
  | 'geo'
  | 'connection'
  | 'dangerous'
  | 'scripting'
  | 'transaction'

/** The chapter of the reference. */
export type Group =
  | 'bitmap'
  | 'cluster'
  | 'connection'
  | 'generic'
  | 'geo'
  | 'hash'
  | 'hyperloglog'
  | 'list'
  | 'pubsub'
  | 'scripting'
  | 'server'
  | 'set'
  | 'sorted_set'
  | 'stream'
  | 'string'
  | 'transactions'

/** Where keys stand among the arguments, as in Redis's key specifications. */
export interface KeySpec {
  /** The first key's place (the name is 0), or the word after which it stands. */
  readonly first: number | { readonly keyword: string; readonly from: number }
  /** Place of the last key; negative counts from the end. `keynum`: the number of keys stands `at` that place, keys follow it. */
  readonly last: number | { readonly countAt: number }
  readonly step?: number
  /** What is done with them: read-only, read and write, overwrite, remove; and which of the value's data. */
  readonly access: 'RO' | 'RW' | 'OW' | 'RM'
  readonly touches?: readonly ('access' | 'update' | 'insert' | 'delete')[]
  /** Not a key of the keyspace but something that is spread like one: a sharded channel. */
  readonly notKey?: boolean
}

/** One command, or one of a container's: then its name is the second word. */
export interface Command {
  /** In small letters. */
  readonly name: string
  /** Version of Redis that has it. */
  readonly since: string
  readonly group: Group
  readonly summary: string
  /** What it costs, for the reference. */
  readonly complexity?: string
  /** Number of words with the name; negative: at least so many. */
  readonly arity: number
  readonly flags: readonly CommandFlag[]
  readonly categories?: readonly Category[]
  readonly keys?: readonly KeySpec[]
  /** Words that are keys, where the specifications cannot tell (SORT ... STORE). Places, in order. */
  readonly keysOf?: (args: Arguments) => number[]
  /** Specifications where options decide what is done with the keys: SET with GET reads, too. */
  readonly keysFor?: (args: Arguments) => readonly KeySpec[]
  /** The commands of a container such as CONFIG. */
  readonly subcommands?: readonly Command[]
  /** Syntax of its arguments for the reference and HELP: `key value [NX | XX]`. */
  readonly syntax?: string
  /** Of a command that only says that it cannot be done here: why. */
  readonly refuses?: string
  /** Does it. Throws `ReplyError` before anything was changed; else gives exactly one answer, now or, blocked, later. */
  readonly run: (client: Client, args: Arguments, reply: Reply) => void
  /** Of a command that waits: the type that a changed key must have for it to be tried again. Without: any, and none. */
  readonly waitsFor?: ValueType
  /** The answer of a blocked one whose time is over. Default: `reply.nilArray()`. */
  readonly timedOut?: (client: Client, reply: Reply) => void
}
