/**
 * A mark stands behind each stretch that was appended to a log at once: its length and checksum. Redis passes over lines that
 * begin with '#', so it loads a log with marks; we know by them what was changed, and what was torn off at the end.
 */
import { crc32 } from './checksum.ts'

const FORM = /^#MP:([\da-f]{8}):(\d{1,15})$/
/** A mark anywhere in bytes. */
const ANYWHERE = /\r\n#MP:[\da-f]{8}:\d{1,15}\r\n/

export function markOf(bytes: Uint8Array): string {
  return `#MP:${crc32(bytes).toString(16).padStart(8, '0')}:${bytes.length}\r\n`
}

export interface LogMark {
  readonly sum: number
  readonly length: number
}

/** The mark on a line; `undefined`: it is another remark. */
export function parseMark(line: string): LogMark | undefined {
  const match = FORM.exec(line)
  return match ? { sum: Number.parseInt(match[1]!, 16), length: Number(match[2]) } : undefined
}

export function hasMark(bytes: Buffer): boolean {
  return ANYWHERE.test(bytes.toString('latin1'))
}
