/**
 * A rewrite of the log: a process of its own reads what was logged up to now and writes it as one RDB file, which takes
 * the place of the files that it has read.
 *
 * Redis forks for this, so that memory stands still for the child. Nothing here stands still, and nothing has to: the log
 * is the state of the moment at which it was switched to another file. So there is no pause, what is in memory is not
 * touched, and every rewrite is a proof that the log can be read. The price is the same as Redis's at worst: memory
 * for a second copy, while it runs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { renameSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AppendLog } from '../../engine/log/append-log.ts'
import { LogFile } from '../../engine/log/log-file.ts'
import type { LogFolder } from '../../engine/log/log-folder.ts'
import { discard, syncPath } from '../../engine/log/manifest.ts'
import type { Service } from '../service.ts'

/** What the process is told. */
export interface RewriteJob {
  readonly files: readonly string[]
  readonly target: string
  readonly capacity: number
  readonly databases: number
}

export class Rewrite {
  readonly #service: Service
  readonly #folder: LogFolder
  readonly #log: AppendLog
  #child: ChildProcess | undefined
  #stopped = false

  constructor(service: Service, folder: LogFolder, log: AppendLog) {
    this.#service = service
    this.#folder = folder
    this.#log = log
  }

  /** Resolves with whether it was done. */
  async run(): Promise<boolean> {
    const folder = this.#folder
    const before = folder.files
    const target = join(folder.path, `temp-${process.pid}.rdb`)
    try {
      const next = folder.next('i')
      const file = await LogFile.open(folder.pathOf(next), 0)
      // First the manifest: what is in a file that it does not name is lost.
      folder.use([...before, next])
      const old = await this.#log.switchTo(file)
      await old.close()
      await this.#runChild({
        files: before.map((part) => folder.pathOf(part)),
        target,
        capacity: this.#service.cache.capacity,
        databases: this.#service.databases.length,
      })
      if (this.#stopped) return false
      const base = folder.next('b')
      renameSync(target, folder.pathOf(base))
      syncPath(folder.path)
      folder.use([base, next])
      return true
    } catch (error) {
      discard(target)
      if (!this.#stopped) this.#service.onFault(`the log could not be rewritten: ${(error as Error).message}`)
      return false
    }
  }

  stop(): void {
    this.#stopped = true
    this.#child?.kill('SIGKILL')
  }

  #runChild(job: RewriteJob): Promise<void> {
    const inSource = import.meta.url.endsWith('.ts')
    const script = fileURLToPath(new URL(inSource ? './rewrite-process.ts' : './rewrite-process.js', import.meta.url))
    const flags = inSource ? ['--conditions=@millpond/source', '--import', 'tsx'] : []
    const child = spawn(process.execPath, [...flags, script, JSON.stringify(job)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    try {
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    } catch {
      // Where that is not allowed it runs as we do.
    }
    let words = ''
    child.stderr.on('data', (text: Buffer) => (words += text.toString()))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(words.trim() || `it ended with ${code}`)),
      )
    })
  }
}
