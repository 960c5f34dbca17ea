import { setTimeout as sleep } from 'node:timers/promises'

/** The source of what is cached: rows with versions, each load takes a while. It lives as long as a trial. */
export class Rows {
  readonly #versions = new Map<string, number>()
  readonly loadMs: number

  constructor(loadMs = 1) {
    this.loadMs = loadMs
  }

  get written(): readonly string[] {
    return [...this.#versions.keys()]
  }

  version(key: string): number {
    return this.#versions.get(key) ?? 1
  }

  write(key: string): void {
    this.#versions.set(key, this.version(key) + 1)
  }

  /** Reads first, and is slow to bring it. */
  readonly load = async (key: string): Promise<number> => {
    const version = this.version(key)
    await sleep(this.loadMs)
    return version
  }
}
