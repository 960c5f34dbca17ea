/**
 * Parameters and literals as the text that the feed reads in a changed row, so that equal values have equal text. Only
 * types for which that can be said; `undefined` wherever there is a doubt, and then the whole table decides.
 */
import type { Operand } from './operands.ts'

/** Types whose equal values have equal text, with how a given text is brought into that form. */
const EXACT: Readonly<Record<string, (text: string) => string | undefined>> = {
  bool: (text) => ({ t: 't', true: 't', f: 'f', false: 'f' })[text.toLowerCase()],
  int2: wholeNumber,
  int4: wholeNumber,
  int8: wholeNumber,
  oid: (text) => (text.includes('-') ? undefined : wholeNumber(text)),
  text: wellFormed,
  varchar: wellFormed,
  uuid: (text) => (UUID.test(text) ? text.toLowerCase() : undefined),
  date: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined),
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Casts that leave a value what it is, by the type that it is compared as. */
const FAMILIES: readonly (readonly string[])[] = [
  ['int2', 'int4', 'int8'],
  ['text', 'varchar'],
]

export function isExact(type: string): boolean {
  return Object.hasOwn(EXACT, type)
}

/**
 * The values of an operand that a column of this type can be equal to, as the feed writes them; NULL is left out, being equal
 * to nothing. `undefined` where that cannot be said.
 */
export function exactTexts(type: string, operand: Operand, parameters: readonly unknown[]): string[] | undefined {
  const given = textsOf(type, operand, parameters)
  const texts = given?.map((text) => EXACT[type]?.(text))
  return texts?.includes(undefined) ? undefined : (texts as string[] | undefined)
}

/** The values of an operand as the text that PostgreSQL is sent for it, without NULLs. */
export function textsOf(type: string, operand: Operand, parameters: readonly unknown[]): string[] | undefined {
  if (operand.cast !== undefined && !keepsValue(operand.cast, type)) return undefined
  if ('text' in operand) return operand.text === null ? [] : [operand.text]
  const given = parameters[operand.parameter - 1]
  if (operand.isArray && given !== null && !Array.isArray(given)) return undefined
  const texts = (Array.isArray(given) ? given : [given])
    .filter((one) => one !== null && one !== undefined)
    .map((one) => sentText(one, type))
  return !operand.isArray && Array.isArray(given)
    ? undefined
    : texts.includes(undefined)
      ? undefined
      : (texts as string[])
}

export function keepsValue(cast: string, type: string): boolean {
  return cast === type || FAMILIES.some((family) => family.includes(cast) && family.includes(type))
}

/**
 * What `pg` sends for a parameter. Its form of objects is not copied here; a date is sent in the local time of this process
 * with its offset, and only one type reads that as the moment that it is.
 */
function sentText(value: unknown, type: string): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return type === 'timestamptz' && value instanceof Date && !Number.isNaN(value.getTime())
    ? value.toISOString()
    : undefined
}

/** Half a surrogate pair is sent as another character. */
function wellFormed(text: string): string | undefined {
  return /\p{Surrogate}/u.test(text) ? undefined : text
}

function wholeNumber(text: string): string | undefined {
  return /^\s*[+-]?\d{1,20}\s*$/.test(text) ? BigInt(text.trim().replace('+', '')).toString() : undefined
}
