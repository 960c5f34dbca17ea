/** Who has changed what of the server, and when: a line of JSON for each, in a file of its own or on stderr. Never a secret. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
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
  readonly #write: (line: string) => void
  #file: number | undefined

  /** @param path of the file; without: `write` is called, by default stderr's */
  constructor(path: string | undefined, write = (line: string): void => void process.stderr.write(line)) {
    this.path = path
    this.#write = path === undefined ? write : (line) => this.#append(line)
  }

  add(entry: AuditEntry, atMs: number): void {
    const about = entry.about.map((word) => (word.length <= ABOUT_MAX ? word : `${word.slice(0, ABOUT_MAX)}…`))
    this.#write(`${JSON.stringify({ at: new Date(atMs).toISOString(), ...entry, about })}\n`)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #append(line: string): void {
    if (this.#file === undefined) {
      mkdirSync(dirname(this.path!), { recursive: true, mode: 0o700 })
      this.#file = openSync(this.path!, 'a', 0o600)
    }
    writeSync(this.#file, line)
  }
}
