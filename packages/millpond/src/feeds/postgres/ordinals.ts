/** Places of values on a scale of whole numbers, by which ranges of them are compared. */

/** Types whose values have a place: the step is what lies between two neighbours, undefined where there are no neighbours. */
const SCALES: Readonly<
  Record<string, { readonly parse: (text: string) => bigint | undefined; readonly step?: bigint }>
> = {
  int2: { parse: wholeNumber, step: 1n },
  int4: { parse: wholeNumber, step: 1n },
  int8: { parse: wholeNumber, step: 1n },
  oid: { parse: wholeNumber, step: 1n },
  numeric: { parse: decimal },
  date: { parse: day, step: 1n },
  timestamp: { parse: moment, step: 1n },
  timestamptz: { parse: momentWithZone, step: 1n },
}

export function isOrdered(type: string): boolean {
  return Object.hasOwn(SCALES, type)
}

/**
 * The place of a value in PostgreSQL's text form (dates ISO); `undefined` for what has none, such as `infinity`. Numbers with
 * more than nine decimals share the place of the next lower one.
 */
export function ordinalOf(type: string, text: string): bigint | undefined {
  return Object.hasOwn(SCALES, type) ? SCALES[type]!.parse(text) : undefined
}

/** The place next to a bound that is not included; the bound itself where nobody can say, so that the range is no smaller. */
export function beyond(type: string, ordinal: bigint, direction: 1n | -1n): bigint {
  return ordinal + direction * (SCALES[type]?.step ?? 0n)
}

function wholeNumber(text: string): bigint | undefined {
  return /^[+-]?\d{1,20}$/.test(text) ? BigInt(text) : undefined
}

const DECIMALS = 9

function decimal(text: string): bigint | undefined {
  const match = /^([+-]?)(\d{1,300})(?:\.(\d*))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole, fraction = ''] = match
  const scaled = BigInt(whole! + fraction.padEnd(DECIMALS, '0').slice(0, DECIMALS))
  const isExact = !/[1-9]/.test(fraction.slice(DECIMALS))
  return sign === '-' ? -scaled - (isExact ? 0n : 1n) : scaled
}

function day(text: string): bigint | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(ms) ? undefined : BigInt(ms / 86_400_000)
}

const MOMENT = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)?$/

/** Microseconds. */
function moment(text: string): bigint | undefined {
  const [, date, time, fraction = '', zone] = MOMENT.exec(text) ?? []
  return date === undefined || zone !== undefined ? undefined : micros(`${date}T${time}Z`, fraction)
}

function momentWithZone(text: string): bigint | undefined {
  const [, date, time, fraction = '', zone] = MOMENT.exec(text) ?? []
  if (date === undefined || zone === undefined) return undefined
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`
  return micros(`${date}T${time}${offset}`, fraction)
}

function micros(iso: string, fraction: string): bigint | undefined {
  const ms = Date.parse(iso)
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'))
}
