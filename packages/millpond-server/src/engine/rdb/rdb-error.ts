/** What is not an RDB file, or not one that can be read: damaged, too new, or with data of a module. */
export class RdbError extends Error {
  /** Where in the file, in bytes; -1: not known. */
  offset = -1

  constructor(message: string) {
    super(message)
    this.name = 'RdbError'
  }
}
