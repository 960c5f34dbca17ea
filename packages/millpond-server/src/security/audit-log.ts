/** Who has changed what of the server, and when: a line of JSON for each, in a file of its own or on stderr. Never a secret. */
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

export interface AuditEntry {
  /** The user's or token's name, and where it comes from: 'cli' for the command line. */
  readonly by: string
  readonly address: string
  /** The cache that it was in. */
  readonly cache: string
  /** The command: 'token create'. */
  readonly action: string
  /** What the command was given, without what nobody may see. */
  readonly about: readonly string[]
  /** 'done', or why not. */
  readonly result: string
}

/** Arguments are told up to this length. */
const ABOUT_MAX = 128

/** Lines are appended at once, so that none is lost with the process; admin actions are few. */
export class AuditLog {
  readonly path: string | undefined
  readonly #tell: (line: string) => void
  #file: number | undefined

  /** @param tell is given what no file takes; by default stderr is */
  constructor(path: string | undefined, tell = (line: string): void => void process.stderr.write(line)) {
    this.path = path
    this.#tell = tell
  }

  /** Never throws: what it tells of has been done by then. */
  add(entry: AuditEntry, atMs: number): void {
    const about = entry.about.map((word) => (word.length <= ABOUT_MAX ? word : `${word.slice(0, ABOUT_MAX)}…`))
    const line = `${JSON.stringify({ at: new Date(atMs).toISOString(), ...entry, about })}\n`
    if (this.path === undefined) this.#tell(line)
    else this.#append(this.path, line)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #append(path: string, line: string): void {
    try {
      if (this.#file === undefined) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        this.#file = openSync(path, 'a', 0o600)
      }
      appendFileSync(this.#file, line)
    } catch (error) {
      this.#tell(`the audit log ${path} can not be written, so this stands here (${(error as Error).message}): ${line}`)
    }
  }
}
