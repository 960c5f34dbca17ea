/** An error that is a reply: `-CODE message`. Thrown by commands and what they call, before anything was changed. */
export class ReplyError extends Error {
  /** The word before the message: 'ERR', 'WRONGTYPE', 'NOPERM'… */
  readonly code: string

  constructor(message: string, code = 'ERR') {
    super(message)
    this.name = 'ReplyError'
    this.code = code
  }
}

export const wrongType = (): ReplyError =>
  new ReplyError('Operation against a key holding the wrong kind of value', 'WRONGTYPE')
export const syntaxError = (): ReplyError => new ReplyError('syntax error')
export const notInteger = (): ReplyError => new ReplyError('value is not an integer or out of range')
export const notFloat = (): ReplyError => new ReplyError('value is not a valid float')
export const noSuchKey = (): ReplyError => new ReplyError('no such key')
export const outOfMemory = (): ReplyError =>
  new ReplyError("command not allowed when used memory > 'maxmemory'.", 'OOM')
export const wrongArity = (command: string): ReplyError =>
  new ReplyError(`wrong number of arguments for '${command}' command`)
export const outOfRange = (): ReplyError => new ReplyError('value is out of range')
export const invalidExpiry = (command: string): ReplyError =>
  new ReplyError(`invalid expire time in '${command}' command`)
export const wouldOverflow = (): ReplyError => new ReplyError('increment or decrement would overflow')
