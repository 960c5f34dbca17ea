/**
 * What a token may do with what. A scope is written `keys:read:user:*`: what it speaks of, what may be done, and with which
 * names; a star at the end means all that begin so, no third part means all.
 */
import { ReplyError } from '../engine/errors.ts'

/** `write` alone does not read: commands that tell an old value (GETDEL, SET with GET, INCR) need both. */
export type Access = 'read' | 'write' | 'readwrite'

export interface Scope {
  /** Keys with what they hold, or the channels of publishers and subscribers: to read one is to subscribe. */
  readonly of: 'keys' | 'topics'
  readonly access: Access
  /** The one name that is meant. */
  readonly name?: string
  /** What all names that are meant begin with. */
  readonly prefix?: string
}

/** The scopes of a token for which none are given. */
export const WHOLE_CACHE: readonly Scope[] = [
  { of: 'keys', access: 'readwrite' },
  { of: 'topics', access: 'readwrite' },
]

const FORM = /^(keys|topics):(read|write|readwrite)(?::(.+))?$/s
const SCOPES_MAX = 20
const NAME_MAX = 512

/** Reads a scope. @throws ReplyError what is wrong with it */
export function parseScope(text: string): Scope {
  const [, of, access, name] = FORM.exec(text) ?? []
  if (of === undefined) {
    throw invalid(text, 'write (keys|topics):(read|write|readwrite)[:name or beginning*], such as keys:read:user:*')
  }
  const known = { of: of as Scope['of'], access: access as Access }
  if (name === undefined || name === '*') return known
  if (/[\s\0]/.test(name)) throw invalid(text, 'names with white space cannot be given')
  if (name.length > NAME_MAX) throw invalid(text, `a name has at most ${NAME_MAX} bytes`)
  if (name.endsWith('*') && !name.endsWith('\\*')) return { ...known, prefix: name.slice(0, -1) }
  return { ...known, name: name.replace(/\\\*$/, '*') }
}

/** @throws ReplyError what is wrong with one of them, or that there are too many */
export function parseScopes(texts: readonly string[]): readonly Scope[] {
  if (texts.length > SCOPES_MAX) throw new ReplyError(`a token has at most ${SCOPES_MAX} scopes`, 'INVALID')
  return texts.length === 0 ? WHOLE_CACHE : texts.map(parseScope)
}

/** As `parseScope` reads it. */
export function scopeText({ of, access, name, prefix }: Scope): string {
  const names = prefix !== undefined ? `:${prefix}*` : name !== undefined ? `:${name.replace(/\*$/, '\\*')}` : ''
  return `${of}:${access}${names}`
}

/** Whether it means all keys, or all topics. */
export function isWhole({ name, prefix }: Scope): boolean {
  return name === undefined && prefix === undefined
}

/** The names that it means, as a pattern of Redis. */
export function patternOf({ name, prefix }: Scope): string {
  if (name !== undefined) return literal(name)
  return prefix === undefined ? '*' : `${literal(prefix)}*`
}

function literal(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}

function invalid(text: string, advice: string): ReplyError {
  return new ReplyError(`'${text.slice(0, 128)}' is no scope: ${advice}`, 'INVALID')
}
