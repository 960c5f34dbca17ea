/** One file that is appended to, from one writer's thread pool: written and synced in the background, never half. */
import { close, constants, fdatasync, ftruncate, open, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fdatasync)
const truncate = promisify(ftruncate)

function writeSome(file: number, bytes: Buffer, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, bytes, from, bytes.length - from, position, (error, written) => {
      if (error) reject(error)
      else resolve(written)
    })
  })
}

export class LogFile {
  readonly path: string
  /** Bytes of whole stretches. */
  size: number
  /** Told how long a sync took that has succeeded. */
  onSync: (ms: number) => void = () => {}
  readonly #file: number

  private constructor(path: string, file: number, size: number) {
    this.path = path
    this.#file = file
    this.size = size
  }

  /** Opens a file to append at `size`; what is behind that is cut off. */
  static async open(path: string, size: number): Promise<LogFile> {
    const file = await openFile(path, constants.O_CREAT | constants.O_WRONLY, 0o644)
    await truncate(file, size)
    return new LogFile(path, file, size)
  }

  /** Appends bytes, and syncs them if asked. If that fails the file is as it was before, as far as can be. */
  async append(bytes: Buffer, synced: boolean): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += await writeSome(this.#file, bytes, at, this.size + at)
      if (synced) await this.#sync()
    } catch (error) {
      await truncate(this.#file, this.size).catch(() => {})
      throw error
    }
    this.size += bytes.length
  }

  /** Writes bytes at once. They are not counted: whoever appends them does it again. */
  writeNow(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at, position + at)
  }

  sync(): Promise<void> {
    return this.#sync()
  }

  close(): Promise<void> {
    return closeFile(this.#file)
  }

  async #sync(): Promise<void> {
    const beganAtMs = performance.now()
    await syncFile(this.#file)
    this.onSync(performance.now() - beganAtMs)
  }
}
