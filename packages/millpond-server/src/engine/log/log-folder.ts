/** Where the files of a log lie, as Redis 7 lays them out: `<dir>/<folder>/<name>.<seq>.base.rdb`, `.incr.aof`, `.manifest`. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ManifestFile, readManifest, syncPath, writeManifest } from './manifest.ts'

export class LogFolder {
  readonly path: string
  readonly #dir: string
  readonly #name: string
  files: readonly ManifestFile[] = []

  constructor(dir: string, folder: string, name: string) {
    this.path = join(dir, folder)
    this.#dir = dir
    this.#name = name
  }

  /**
   * Reads the manifest. A log of one file, as Redis had it before 7.0, is moved in and becomes the base.
   * Returns whether there is a log.
   */
  open(): boolean {
    mkdirSync(this.path, { recursive: true })
    for (const name of readdirSync(this.path)) {
      if (name.startsWith('temp-') || name.endsWith('.draft')) rmSync(join(this.path, name), { force: true })
    }
    const files = readManifest(this.#manifest)
    const single = join(this.#dir, this.#name)
    if (files) this.files = files.filter(({ part }) => part !== 'h')
    else if (existsSync(single) && statSync(single).isFile()) {
      const base: ManifestFile = { name: this.#name, seq: 1, part: 'b' }
      // In this order: if we are stopped between the two, the next start does the rest.
      renameSync(single, join(this.path, this.#name))
      syncPath(this.path)
      this.use([base])
    } else if (existsSync(join(this.path, this.#name))) this.use([{ name: this.#name, seq: 1, part: 'b' }])
    return this.files.length > 0
  }

  /** Writes a manifest of these files, and removes others that were in the one before. */
  use(files: readonly ManifestFile[]): void {
    const before = this.files
    writeManifest(this.#manifest, files)
    this.files = files
    for (const { name } of before) {
      if (!files.some((file) => file.name === name)) rmSync(join(this.path, name), { force: true })
    }
  }

  /** A base, or commands, with the next number. */
  next(part: 'b' | 'i'): ManifestFile {
    const seq = 1 + Math.max(0, ...this.files.filter((file) => file.part === part).map((file) => file.seq))
    return { name: `${this.#name}.${seq}.${part === 'b' ? 'base.rdb' : 'incr.aof'}`, seq, part }
  }

  pathOf({ name }: ManifestFile): string {
    return join(this.path, name)
  }

  /** Bytes of all files. */
  get size(): number {
    return this.files.reduce((sum, file) => sum + statSync(this.pathOf(file)).size, 0)
  }

  get #manifest(): string {
    return join(this.path, `${this.#name}.manifest`)
  }
}
