/** A script's first line, `#!lua name=mylib flags=no-writes,allow-oom`, and what follows it. */
import { ReplyError } from '../../engine/errors.ts'

/**
 * What a script or function says of itself. The last one is Upstash's: that only its keys are to be locked. Its rate limiter says so;
 * here nothing runs beside a script, so it changes nothing.
 */
export type ScriptFlag =
  | 'no-writes'
  | 'allow-oom'
  | 'allow-stale'
  | 'no-cluster'
  | 'allow-cross-slot-keys'
  | 'allow-key-locking'

const FLAGS: ReadonlySet<string> = new Set([
  'no-writes',
  'allow-oom',
  'allow-stale',
  'no-cluster',
  'allow-cross-slot-keys',
  'allow-key-locking',
])

export function isScriptFlag(text: string): text is ScriptFlag {
  return FLAGS.has(text)
}

export interface ScriptHeader {
  /** `undefined`: there is no such line, and the script is checked command by command as it runs. */
  readonly flags: ReadonlySet<ScriptFlag> | undefined
  /** The text without that line, which stays empty so that lines keep their numbers. */
  readonly body: string
}

/** Reads the first line of a script for EVAL. */
export function parseScript(text: string): ScriptHeader {
  if (!text.startsWith('#!')) return { flags: undefined, body: text }
  const line = text.split('\n', 1)[0]!
  if (line.length === text.length) throw new ReplyError('Invalid script shebang')
  const [engine, ...options] = line.slice(2).split(' ').filter(Boolean)
  if (engine !== 'lua') throw new ReplyError(`Unexpected engine in script shebang: ${engine ?? ''}`)
  const flags = new Set<ScriptFlag>()
  for (const option of options) {
    if (!option.startsWith('flags=')) throw new ReplyError(`Unknown lua shebang option: ${option}`)
    for (const flag of option.slice('flags='.length).split(',').filter(Boolean)) {
      if (!isScriptFlag(flag)) throw new ReplyError(`Unexpected flag in script shebang: ${flag}`)
      flags.add(flag)
    }
  }
  return { flags, body: text.slice(line.length) }
}

/** Whether a script says that it writes nothing. One that can not be read says nothing. */
export function claimsNoWrites(text: string): boolean {
  try {
    return parseScript(text).flags?.has('no-writes') ?? false
  } catch {
    return false
  }
}

/** Reads the first line of a library for FUNCTION LOAD. */
export function parseLibrary(text: string): { readonly name: string; readonly engine: string; readonly body: string } {
  if (!text.startsWith('#!')) throw new ReplyError('Missing library metadata')
  const line = text.split('\n', 1)[0]!
  if (line.length === text.length) throw new ReplyError('Invalid library metadata')
  const [, engine, rest] = /^#!(\S*)(.*)$/.exec(line) ?? []
  let name: string | undefined
  for (const [option] of rest!.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)) {
    if (!/^name=/i.test(option)) throw new ReplyError(`Invalid metadata value given: ${option}`)
    if (name !== undefined) throw new ReplyError('Invalid metadata value, name argument was given multiple times')
    name = option.slice('name='.length).replace(/^(["'])(.*)\1$/, '$2')
  }
  if (engine!.toLowerCase() !== 'lua') throw new ReplyError(`Engine '${engine}' not found`)
  if (name === undefined) throw new ReplyError('Library name was not given')
  checkName(name)
  return { name, engine: 'LUA', body: text.slice(line.length) }
}

/** @throws ReplyError when a library or a function can not be called so */
export function checkName(name: string): void {
  if (/^\w+$/.test(name)) return
  throw new ReplyError(
    'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long',
  )
}
