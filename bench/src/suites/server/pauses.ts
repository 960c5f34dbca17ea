/** What `pauses.mjs` has told of a process. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pauses {
  /** Milliseconds of the processor. */
  readonly longestMs: number
  /** How many took more than 20 ms. */
  readonly long: number
}

/** The arguments of Node with which a process tells its pauses. */
export const TELL_PAUSES: readonly string[] = ['--import', new URL('./pauses.mjs', import.meta.url).href]

export function readPauses(pid: number): Pauses {
  return JSON.parse(readFileSync(fileOf(pid), 'utf8')) as Pauses
}

export function forgetPauses(pid: number): void {
  rmSync(fileOf(pid), { force: true })
}

function fileOf(pid: number): string {
  return join(tmpdir(), `millpond-pauses-${pid}.json`)
}
