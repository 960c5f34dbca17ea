/** How the program says by its exit code what came of it. docs/cli.md tells them. */
import type { ServiceError } from 'millpond'

export const EXIT = {
  /** What was asked for could not be done. */
  FAILED: 1,
  /** Arguments that cannot be understood, as shells and most tools have it. */
  USAGE: 2,
  /** The answer is no: there is no such key; maps of a mesh differ. */
  ABSENT: 3,
  /** No connection, or no answer in time. */
  UNREACHABLE: 4,
  /** The token does not open this, or there is none. */
  DENIED: 5,
} as const

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (isService(error)) {
    if (error.reason === 'access') return EXIT.DENIED
    return error.reason === 'answer' ? EXIT.FAILED : EXIT.UNREACHABLE
  }
  return isUsage(error) ? EXIT.USAGE : EXIT.FAILED
}

/** The service could not be asked, or has answered an error. Known by its code: the library need not be loaded to look. */
function isService(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SERVICE'
}

/** An option, variable or field of a file that cannot be used: `OptionError` of the library, which names it. */
function isUsage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OPTION'
}

/** What is said of it: the message, and where it does not say so itself, what to do next. */
export function adviceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const next = isService(error) ? nextOf(error) : ''
  return `${message}${next && `\n${next}`}`
}

function nextOf({ reason, word }: ServiceError): string {
  if (word === 'NOAUTH')
    return 'next: give a token, by --token, MILLPOND_URL or a profile; `millpond init` makes the first one'
  if (word === 'NOPERM') return 'next: this token is for something else; an admin makes others: millpond token create'
  if (reason === 'access')
    return 'next: look whether cache and token belong together; an admin makes tokens: millpond token create'
  if (reason === 'timeout') return 'next: ask `millpond doctor` what keeps the server from answering'
  return ''
}
