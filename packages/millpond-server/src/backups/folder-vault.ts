/** Backups in a folder. */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DraftFile } from '../engine/rdb/draft-file.ts'
import { BackupError } from './backup-error.ts'
import type { Vault } from './vault.ts'

export class FolderVault implements Vault {
  readonly url: string

  constructor(folder: string) {
    this.url = folder
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.#try(async () => {
      await mkdir(this.url, { recursive: true })
      return DraftFile.open(this.pathOf(name))
    })
    try {
      for await (const piece of pieces) await this.#try(() => file.write(piece))
      await this.#try(() => file.finish())
    } catch (error) {
      await file.abandon()
      throw error
    }
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    try {
      yield* createReadStream(this.pathOf(name), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new BackupError('missing', this.pathOf(name), 'there is no such file', error)
      }
      throw this.#failure(error)
    }
  }

  pathOf(name: string): string {
    return join(this.url, name)
  }

  async list(): Promise<string[]> {
    return this.#try(() => readdir(this.url)).catch((error: BackupError) => {
      if ((error.cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    })
  }

  remove(name: string): Promise<void> {
    return this.#try(() => rm(this.pathOf(name), { force: true }))
  }

  async #try<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): BackupError {
    const { code, message } = error as NodeJS.ErrnoException
    return new BackupError('storage', this.url, code === 'ENOSPC' ? 'no space is left on the device' : message, error)
  }
}
