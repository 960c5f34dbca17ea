/**
 * A note stands before a command in a log and says what the command cannot: the flags that a client of memcached gave to a
 * string. Redis passes over lines that begin with '#', and loads the string without them.
 */

const FLAGS = /^#MP-flags:(\d{1,10})$/

/** The line, without its end. */
export function flagsNote(clientFlags: number): string {
  return `#MP-flags:${clientFlags}`
}

/** The flags that a line says; `undefined`: it is another remark. */
export function parseFlagsNote(line: string): number | undefined {
  const match = FLAGS.exec(line)
  return match ? Number(match[1]) : undefined
}
