/** A log that is damaged where it may not be: the server does not start from it. */
export class LogError extends Error {
  readonly file: string
  /** Where in the file, in bytes. */
  readonly offset: number

  constructor(file: string, offset: number, reason: string) {
    super(
      `${file} is damaged at byte ${offset}: ${reason}. Restore it from a copy, or cut it there and lose what follows`,
    )
    this.name = 'LogError'
    this.file = file
    this.offset = offset
  }
}
