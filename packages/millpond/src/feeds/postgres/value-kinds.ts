/**
 * Kinds of values that a reader names without knowing the types of the columns. Whether equal values have equal text is
 * decided where the type is known: in the stream.
 */
export type ValueKind = 'whole' | 'bool' | 'uuid' | 'date' | 'text'

/** Built-in types by their oid. */
const BOOL = 16
const WHOLE = [20, 21, 23, 26]
const TEXTS = [25, 1043]
const DATE = 1082
const UUID = 2950

/** For each kind, how a row's text of a column of the type reads; `undefined` where equal values may read differently. */
const READERS: Readonly<Record<ValueKind, (typeOid: number) => ((text: string) => string) | undefined>> = {
  whole: (typeOid) => (WHOLE.includes(typeOid) ? same : undefined),
  bool: (typeOid) => (typeOid === BOOL ? same : undefined),
  uuid: (typeOid) => (typeOid === UUID ? same : TEXTS.includes(typeOid) ? lower : undefined),
  date: (typeOid) => (typeOid === DATE || TEXTS.includes(typeOid) ? same : undefined),
  text: (typeOid) => (TEXTS.includes(typeOid) ? same : undefined),
}

export function isValueKind(kind: unknown): kind is ValueKind {
  return typeof kind === 'string' && Object.hasOwn(READERS, kind)
}

/** How a row's text of a column of this type has to be read, to be compared with values of this kind. */
export function readerOf(kind: ValueKind, typeOid: number): ((text: string) => string) | undefined {
  return READERS[kind](typeOid)
}

/** The kind of a value, and its text as `readerOf` gives it; `undefined` for a value whose text is not sure. */
export function kindOf(value: unknown): { readonly kind: ValueKind; readonly text: string } | undefined {
  if (typeof value === 'boolean') return { kind: 'bool', text: value ? 't' : 'f' }
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return { kind: 'whole', text: String(value) }
  // Half a surrogate pair is sent as another character.
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) return undefined
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)) return { kind: 'uuid', text: value.toLowerCase() }
  return { kind: /^\d{4}-\d\d-\d\d$/.test(value) ? 'date' : 'text', text: value }
}

function same(text: string): string {
  return text
}

function lower(text: string): string {
  return text.toLowerCase()
}
