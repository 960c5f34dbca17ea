/** The manifest of a log in several files, as Redis 7 has it: a base, then what was appended since, in order. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** 'b': a base, 'i': commands since, 'h': not needed any more. */
export type LogPart = 'b' | 'i' | 'h'

export interface ManifestFile {
  readonly name: string
  readonly seq: number
  readonly part: LogPart
}

/** @throws Error when a line is not understood */
export function parseManifest(text: string): ManifestFile[] {
  const files: ManifestFile[] = []
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue
    const match = /^file (?:"((?:[^"\\]|\\.)*)"|(\S+)) seq (\d+) type ([bih])$/.exec(line)
    const name = match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2]
    if (!match || name === undefined || name.includes('/'))
      throw new Error(`the line '${line}' of the manifest is not understood`)
    files.push({ name, seq: Number(match[3]), part: match[4] as LogPart })
  }
  return files
}

export function formatManifest(files: readonly ManifestFile[]): string {
  const quoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : `"${name.replaceAll(/["\\]/g, '\\$&')}"`)
  return files.map(({ name, seq, part }) => `file ${quoted(name)} seq ${seq} type ${part}\n`).join('')
}

/** The files of a manifest; `undefined`: there is none. */
export function readManifest(path: string): ManifestFile[] | undefined {
  return existsSync(path) ? parseManifest(readFileSync(path, 'latin1')) : undefined
}

/** Puts a manifest in place of the old one: after a crash there is one or the other. */
export function writeManifest(path: string, files: readonly ManifestFile[]): void {
  replaceFile(path, formatManifest(files))
}

/** Writes a file under another name, syncs it, and renames it, so that it is there whole or not at all. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const draft = `${path}.draft`
  writeFileSync(draft, content)
  syncPath(draft)
  renameSync(draft, path)
  syncPath(dirname(path))
}

/** Removes a file that nobody needs, if that can be done. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // It is in nobody's way.
  }
}

/** Syncs a file, or the names in a folder. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
