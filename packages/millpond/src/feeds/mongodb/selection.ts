/**
 * Which documents an answer depends on: a test that may say yes too often and never no too often. Comparisons are tested by
 * conditions.ts; what it leaves out (choices, negations, what is missing, lists as a whole) by the package `mingo`, where that is there.
 *
 * `mingo` is asked only where it is sure that MongoDB says the same: for operators and values that both read alike, and documents that have
 * nothing at these places but plain scalars, lists of them, and documents. Everywhere else the answer is "cannot say", and that is yes.
 */
import { canonicalText } from './canonical-text.ts'
import type { Document } from './client.ts'
import { type Condition, conditionsText, isExpressed, isOrdered, isSureScalar, mayMatch } from './conditions.ts'

/** The slice of the package `mingo` that is called. */
export interface Mingo {
  readonly Query: new (filter: Document) => MingoQuery
}

/** A filter, made ready. */
export interface MingoQuery {
  /** Whether a document passes it. */
  test(document: Document): boolean
}

/** Documents that conditions and filters select. */
export interface Selection {
  /** The same for the same selection; empty where every document may be selected. */
  readonly text: string
  /** Whether a document may be one of them; `true` where nobody can say. */
  mayMatch(document: Document): boolean
}

/**
 * @param conditions those that hold for a document, from wherever in a pipeline they come
 * @param filters filters that a document has to pass, as they stand
 */
export function selectionOf(
  conditions: readonly Condition[],
  filters: readonly Document[],
  mingo: Mingo | undefined,
): Selection {
  const rest =
    mingo === undefined ? [] : filters.flatMap(partsOf).filter((part) => !isExpressed(part) && isTestable(part))
  const known = conditionsText(conditions)
  if (rest.length === 0) return { text: known, mayMatch: (document) => mayMatch(conditions, document) }
  let query: MingoQuery | undefined
  const passes = (document: Document): boolean => {
    try {
      query ??= new mingo!.Query({ $and: rest })
      return query.test(document)
    } catch {
      return true // it cannot say
    }
  }
  const places = rest.flatMap((part) => placesIn(part, '', false))
  const text = [...(known === '' ? [] : [known]), ...rest.map((part) => canonicalText(part))].join('&')
  return {
    text,
    mayMatch: (document) =>
      mayMatch(conditions, document) &&
      (!places.every(({ path, isPlain }) => isSure(document, path, isPlain)) || passes(document)),
  }
}

/** Filters that all have to be passed, one name each. */
function partsOf(filter: Document): Document[] {
  return Object.entries(filter).flatMap(([name, value]) =>
    name === '$and' && Array.isArray(value) ? value.flatMap((part) => partsOf(part as Document)) : [{ [name]: value }],
  )
}

function isTestable(filter: Document): boolean {
  return Object.entries(filter).every(([name, value]) => {
    if (CHOICES.includes(name)) return Array.isArray(value) && value.every((one) => isDocument(one) && isTestable(one))
    const names = name.split('.')
    return !name.startsWith('$') && !names.some((part) => part === '' || /^\d+$/.test(part)) && isTestableValue(value)
  })
}

const CHOICES = ['$and', '$or', '$nor']

function isTestableValue(value: unknown): boolean {
  if (isSureOperand(value)) return true
  return isOperators(value) && Object.entries(value).every(([name, operand]) => OPERATORS[name]?.(operand) === true)
}

/** By operator: the operands that `mingo` reads as MongoDB does. */
const OPERATORS: Readonly<Record<string, (operand: unknown) => boolean>> = {
  $eq: isSureOperand,
  $ne: isSureOperand,
  $in: areSureOperands,
  $nin: areSureOperands,
  $gt: isOrdered,
  $gte: isOrdered,
  $lt: isOrdered,
  $lte: isOrdered,
  $exists: (operand) => typeof operand === 'boolean',
  $size: (operand) => Number.isInteger(operand),
  $not: (operand) => isOperators(operand) && isTestableValue(operand),
  $elemMatch: (operand) =>
    isOperators(operand) ? isTestableValue(operand) : isDocument(operand) && isTestable(operand),
}

function isSureOperand(value: unknown): boolean {
  return value === null || isSureScalar(value)
}

function areSureOperands(value: unknown): boolean {
  return Array.isArray(value) && value.every(isSureOperand)
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function isOperators(value: unknown): value is Document {
  return isDocument(value) && Object.keys(value).length > 0 && Object.keys(value).every((name) => name.startsWith('$'))
}

/** Where a filter looks. `isPlain`: through no list, as what is missing in some of its elements is read in more than one way. */
interface Place {
  readonly path: readonly string[]
  readonly isPlain: boolean
}

const NEGATIONS = ['$ne', '$nin', '$not', '$exists']

function placesIn(filter: Document, prefix: string, isNegated: boolean): Place[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (name.startsWith('$'))
      return (value as Document[]).flatMap((part) => placesIn(part, prefix, isNegated || name === '$nor'))
    const path = `${prefix}${name}`
    return [{ path: path.split('.'), isPlain: isNegated || negates(value) }, ...innerPlaces(value, path, isNegated)]
  })
}

function innerPlaces(value: unknown, path: string, isNegated: boolean): Place[] {
  if (!isOperators(value)) return []
  const inner = [value.$elemMatch, (value.$not as Document | undefined)?.$elemMatch].filter(isDocument)
  return inner.flatMap((filter) =>
    isOperators(filter) ? [] : placesIn(filter, `${path}.`, isNegated || '$not' in value),
  )
}

/** Whether a document may pass because of what it does not have. */
function negates(value: unknown): boolean {
  if (value === null) return true
  if (Array.isArray(value)) return value.some(negates)
  if (!isDocument(value)) return false
  return Object.entries(value).some(([name, operand]) => NEGATIONS.includes(name) || negates(operand))
}

function isSure(value: unknown, path: readonly string[], isPlain: boolean): boolean {
  const [name, ...rest] = path
  if (name === undefined) return isSureLeaf(value)
  if (Array.isArray(value)) return !isPlain && value.every((one) => !Array.isArray(one) && isSure(one, path, isPlain))
  if (!isDocument(value)) return isSureLeaf(value)
  if (!Object.hasOwn(value, name)) return true
  return value[name] !== undefined && isSure(value[name], rest, isPlain)
}

function isSureLeaf(value: unknown): boolean {
  const isSureElement = (one: unknown) => isSureOperand(one) || isDocument(one)
  return isSureElement(value) || (Array.isArray(value) && value.every(isSureElement))
}
