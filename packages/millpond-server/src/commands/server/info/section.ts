/** A part of what INFO tells. */
import type { Service } from '../../service.ts'

/** Lines of `name:value`. */
export type InfoLines = readonly (readonly [name: string, value: string | number])[]

export interface InfoSection {
  /** As it is asked for, in small letters. */
  readonly name: string
  /** As it is headed. */
  readonly title: string
  /** Whether it is only told when it is asked for by name, or with 'all'. */
  readonly extra?: boolean
  lines(service: Service): InfoLines
}

const UNITS = ['K', 'M', 'G', 'T']

/** A number of bytes for people: '1.50M'. */
export function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  const power = Math.min(UNITS.length, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(2)}${UNITS[power - 1]}`
}
