/** A file that is written in the background under another name, and takes its own when it is whole. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

let lastNumber = 0

export class DraftFile {
  readonly path: string
  readonly #draft: string
  readonly #file: FileHandle

  private constructor(path: string, draft: string, file: FileHandle) {
    this.path = path
    this.#draft = draft
    this.#file = file
  }

  /** Begins one. Others may be under way for the same path: the last that is finished stays. */
  static async open(path: string): Promise<DraftFile> {
    const draft = `${path}.${process.pid}-${++lastNumber}.draft`
    return new DraftFile(path, draft, await open(draft, 'w', 0o644))
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten
  }

  /** Makes sure that all of it is on the disk, and gives it its name. */
  async finish(): Promise<void> {
    await this.#file.sync()
    await this.#file.close()
    await rename(this.#draft, this.path)
    const folder = await open(dirname(this.path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** Removes it: the file of that name stays as it was. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {})
    await rm(this.#draft, { force: true }).catch(() => {})
  }
}
