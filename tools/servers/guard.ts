/**
 * Ends the servers of this process, and removes their folders, when the process ends without doing so, or is killed: one
 * shell waits on a pipe that breaks with us. It knows the servers by files that are named by their process ids.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const SCRIPT = 'read -r line; cd "$1" || exit; for pid in $(ls pids); do kill -KILL "$pid"; done; cd /; rm -rf "$1"'

let home: string | undefined
let shell: ChildProcess | undefined

/** A fresh folder in the temporary ones, which goes with this process at the latest. */
export function guardedFolder(name: string): string {
  return mkdtempSync(path.join(guardedHome(), `${name}-`))
}

/** Has this process killed when ours ends. Returns what to call once it has ended by itself. */
export function guard(pid: number): () => void {
  const file = path.join(guardedHome(), 'pids', String(pid))
  writeFileSync(file, '')
  return () => rmSync(file, { force: true })
}

function guardedHome(): string {
  home ??= startShell()
  return home
}

function startShell(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millpond-servers-'))
  mkdirSync(path.join(folder, 'pids'))
  shell = spawn('sh', ['-c', SCRIPT, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  const pipe = shell.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null
  pipe?.on('error', () => {})
  pipe?.unref?.()
  return folder
}
