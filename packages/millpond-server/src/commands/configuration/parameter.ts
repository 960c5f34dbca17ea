/** One parameter of the configuration: its name, what it may be, and how it is written. */
import { ReplyError } from '../../engine/errors.ts'
import { splitWords } from '../quoted-words.ts'

/** What is special about a parameter. */
interface ParameterTraits {
  /** Can only be given at the start. */
  readonly immutable?: boolean
  /** Reaches outside the server: changed by CONFIG SET only if `enable-protected-configs` allows it. */
  readonly guarded?: boolean
  /** Is not shown to those who watch. */
  readonly secret?: boolean
  /** Is told only who asks for it by its whole name. */
  readonly hidden?: boolean
  /** An older name. */
  readonly alias?: string
}

export interface Parameter extends ParameterTraits {
  readonly name: string
  /** What it is if nobody says otherwise. */
  readonly initial: string
  /** Whether its value is several words. */
  readonly many?: boolean
  /** A value as it is written, checked. @throws ReplyError what it must be */
  read(text: string, present: string): string
}

type Read = Parameter['read']

/** Whole numbers end here: beyond, a double skips some. */
export const MOST: number = Number.MAX_SAFE_INTEGER

export function boolean(name: string, initial: boolean, traits: ParameterTraits = {}): Parameter {
  return {
    ...traits,
    name,
    initial: initial ? 'yes' : 'no',
    read(text) {
      const value = text.toLowerCase()
      if (value !== 'yes' && value !== 'no') throw new ReplyError("argument must be 'yes' or 'no'")
      return value
    },
  }
}

export function integer(
  name: string,
  initial: number,
  min: number,
  max: number,
  traits: ParameterTraits = {},
): Parameter {
  return {
    ...traits,
    name,
    initial: String(initial),
    read(text) {
      if (!/^-?\d{1,19}$/.test(text)) throw new ReplyError("argument couldn't be parsed into an integer")
      return within(Number(text), min, max)
    },
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
}

/** A number of bytes: '100', '64kb', '1gb'. */
export function bytes(
  name: string,
  initial: number,
  min: number,
  max: number,
  traits: ParameterTraits = {},
): Parameter {
  return {
    ...traits,
    name,
    initial: String(initial),
    read(text) {
      const size = bytesOf(text)
      if (min < 0 && /^\d{1,9}%$/.test(text)) {
        if (Number.parseInt(text, 10) > 100) throw new ReplyError('percentage argument must be less or equal to 100')
        return text
      }
      if (size === undefined) {
        throw new ReplyError(`argument must be a memory ${min < 0 ? 'or percent ' : ''}value`)
      }
      return within(size, min, max)
    },
  }
}

/** A number of bytes with its unit; `undefined`: it is none. */
export function bytesOf(text: string): number | undefined {
  const [, digits, unit] = /^(-?\d{1,19})([kmg]?b?)$/i.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!
}

function within(value: number, min: number, max: number): string {
  if (value < min || value > max) throw new ReplyError(`argument must be between ${min} and ${max} inclusive`)
  return String(value)
}

export function choice(
  name: string,
  initial: string,
  choices: readonly string[],
  traits: ParameterTraits = {},
): Parameter {
  return {
    ...traits,
    name,
    initial,
    read(text) {
      const value = text.toLowerCase()
      if (!choices.includes(value)) {
        throw new ReplyError(`argument(s) must be one of the following: ${choices.join(', ')}`)
      }
      return value
    },
  }
}

export function text(
  name: string,
  initial: string,
  traits: ParameterTraits = {},
  read: Read = (given) => given,
): Parameter {
  return { ...traits, name, initial, read }
}

/** Several words. `read` gives them as they are written. */
export function words(
  name: string,
  initial: string,
  read: (words: readonly string[], present: string) => string,
  traits: ParameterTraits = {},
): Parameter {
  return { ...traits, name, initial, many: true, read: (given, present) => read(splitWords(given) ?? [given], present) }
}
