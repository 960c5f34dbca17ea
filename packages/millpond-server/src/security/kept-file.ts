/** A file of JSON that is written whole or not at all, and that only its owner may read. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ReplyError } from '../engine/errors.ts'

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

  /** Writes beside the file, and puts that in its place once it is on the disk. @throws ReplyError MISCONF: it is as it was */
  write(content: Content): void {
    if (this.path === undefined) return
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
      replace(this.path, `${JSON.stringify(content, undefined, 2)}\n`)
    } catch (error) {
      const { message } = error as Error
      throw new ReplyError(
        `nothing was changed, as it can not be kept: ${message}; see to the disk and try again`,
        'MISCONF',
      )
    }
  }
}

function replace(path: string, text: string): void {
  const beside = `${path}.new`
  const file = openSync(beside, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
}
