import * as fs from 'node:fs/promises'

/** The part of `node:fs/promises` that a file journal calls: a test may pass one that fails. */
export interface JournalFs {
  open(path: string, flags: string): Promise<JournalFile>
  readFile(path: string): Promise<Buffer>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}

/** An open file. */
export interface JournalFile {
  appendFile(data: Uint8Array | string): Promise<void>
  datasync(): Promise<void>
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

/** The file system of the machine. */
export const nodeFs: JournalFs = fs
