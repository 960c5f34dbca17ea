/** EVAL and FCALL with their likes: a number of keys, the keys, and arguments. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Command, CommandFlag } from '../command.ts'
import { countedKeys } from '../key-specs.ts'

const FLAGS: readonly CommandFlag[] = [
  'noscript',
  'skip_monitor',
  'may_replicate',
  'no_mandatory_keys',
  'stale',
  'movablekeys',
]
const READ_FLAGS: readonly CommandFlag[] = [
  'noscript',
  'skip_monitor',
  'no_mandatory_keys',
  'stale',
  'movablekeys',
  'readonly',
]
const KEYS = countedKeys(2, 'RW', ['access', 'update'])
const READ_KEYS = countedKeys(2, 'RO', ['access'])

/** Runs a script. */
export const evalScript: Command = evalCommand('eval', 'Executes a server-side Lua script.', '2.6.0', false)
/** Runs a script that may not change anything. */
export const evalRo: Command = evalCommand('eval_ro', 'Executes a read-only server-side Lua script.', '7.0.0', true)
/** Runs a script that the server knows. */
export const evalsha: Command = evalCommand(
  'evalsha',
  'Executes a server-side Lua script by SHA1 digest.',
  '2.6.0',
  false,
)
/** Runs a script that the server knows and that may not change anything. */
export const evalshaRo: Command = evalCommand(
  'evalsha_ro',
  'Executes a read-only server-side Lua script by SHA1 digest.',
  '7.0.0',
  true,
)
/** Calls a function of a library. */
export const fcall: Command = evalCommand('fcall', 'Invokes a function.', '7.0.0', false)
/** Calls a function of a library that may not change anything. */
export const fcallRo: Command = evalCommand('fcall_ro', 'Invokes a read-only function.', '7.0.0', true)

function evalCommand(name: string, summary: string, since: string, readOnly: boolean): Command {
  const what = name.startsWith('evalsha') ? 'sha1' : name.startsWith('eval') ? 'script' : 'function'
  return {
    name,
    since,
    group: 'scripting',
    summary,
    complexity: 'Depends on the script that is executed',
    arity: -3,
    flags: readOnly ? READ_FLAGS : FLAGS,
    keys: readOnly ? READ_KEYS : KEYS,
    syntax: `${what} numkeys [key [key ...]] [arg [arg ...]]`,
    run(client, args, reply) {
      const keyCount = keyCountOf(args)
      const keys = args.texts(3, 3 + keyCount)
      const words = args.texts(3 + keyCount)
      const { scripts } = client.service
      if (what === 'script') scripts.evaluate(client, args.text(1), keys, words, readOnly, reply)
      else if (what === 'sha1') scripts.evaluateKnown(client, args.text(1), keys, words, readOnly, reply)
      else scripts.functions.call(client, args.text(1), keys, words, readOnly, reply)
    },
  }
}

function keyCountOf(args: Arguments): number {
  const isFunction = args.text(0).toLowerCase().startsWith('f')
  const count = args.integer(2, () =>
    isFunction
      ? new ReplyError('Bad number of keys provided')
      : new ReplyError('value is not an integer or out of range'),
  )
  if (count > args.count - 3) throw new ReplyError("Number of keys can't be greater than number of args")
  if (count < 0) throw new ReplyError("Number of keys can't be negative")
  return count
}
