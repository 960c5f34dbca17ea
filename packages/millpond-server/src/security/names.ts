/** How caches, tokens and access keys may be called. */
import { ReplyError } from '../engine/errors.ts'

const NAME = /^[a-z\d][\w.-]{0,63}$/i

/** A name is part of file names, addresses and log lines. @throws ReplyError what it must be */
export function checkName(what: string, name: string): string {
  if (NAME.test(name) && !name.includes('..')) return name
  throw new ReplyError(
    `'${name.slice(0, 64)}' is no name for a ${what}: 1 to 64 letters, digits, '-', '_' and '.', the first a letter or digit`,
    'INVALID',
  )
}
