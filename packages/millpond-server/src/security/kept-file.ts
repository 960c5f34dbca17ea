/** A file of JSON that is written whole or not at all, and that only its owner may read. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What one part of the server keeps about itself. Without a path it is kept in memory, until the process ends. */
export class KeptFile<Content> {
  readonly path: string | undefined

  constructor(path: string | undefined) {
    this.path = path
  }

  /** What was written last; `undefined`: nothing yet. @throws Error naming the file, when it can not be read as JSON */
  read(): Content | undefined {
    if (this.path === undefined) return undefined
    let text: string
    try {
      text = readFileSync(this.path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      return JSON.parse(text) as Content
    } catch (error) {
      throw new Error(`${this.path} is no JSON; put back a copy of it, or move it away to begin anew`, { cause: error })
    }
  }

  /** Writes beside the file, and puts that in its place once it is on the disk. */
  write(content: Content): void {
    if (this.path === undefined) return
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    const beside = `${this.path}.new`
    const file = openSync(beside, 'w', 0o600)
    try {
      writeSync(file, `${JSON.stringify(content, undefined, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, this.path)
  }
}
