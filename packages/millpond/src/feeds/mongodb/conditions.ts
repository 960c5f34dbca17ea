/**
 * Conditions of a filter that can be tested on a document without the server, and the test. It has three answers, and takes
 * "cannot say" for yes: a document that is taken for a match by mistake voids an entry for nothing, one that is missed would leave
 * it stale. So only comparisons of fields with strings, numbers, booleans, dates and ObjectIds are tested, and only on values whose
 * order is certain; all other conditions are left out, which makes the test weaker and never wrong.
 */
import { canonicalText } from './canonical-text.ts'
import type { Document } from './client.ts'

/** One comparison that a document has to pass, among others. */
export interface Condition {
  readonly path: string
  readonly operator: Operator
  /** One, except for `$in`. */
  readonly operands: readonly Scalar[]
}

type Operator = '$eq' | '$in' | '$gt' | '$gte' | '$lt' | '$lte'
type Scalar = string | number | boolean | Date | ObjectId
type ObjectId = { readonly _bsontype: 'ObjectId'; toHexString(): string }

const OPERATORS: readonly string[] = ['$eq', '$in', '$gt', '$gte', '$lt', '$lte']

/** The conditions of a filter that can be tested; a document that fails one of them does not match the filter. */
export function conditionsOf(filter: Document): readonly Condition[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (name === '$and') return Array.isArray(value) ? value.flatMap((part) => conditionsOf(part as Document)) : []
    if (name.startsWith('$') || name.split('.').includes('')) return []
    return operatorsOf(value).flatMap(([operator, operand]) => conditionOf(name, operator, operand))
  })
}

/** Whether the conditions of this part say all that it says. */
export function isExpressed(part: Document): boolean {
  return Object.entries(part).every(([name, value]) => {
    const operators = operatorsOf(value)
    return operators.length > 0 && conditionsOf({ [name]: value }).length === operators.length
  })
}

/** Whether a value is compared by MongoDB and by JavaScript alike, at least for equality. */
export function isSureScalar(value: unknown): boolean {
  return scalarKind(value) !== undefined && (typeof value !== 'string' || isOrderSure(value))
}

/** Whether what is before and behind a value is certain. */
export function isOrdered(value: unknown): boolean {
  return isSureScalar(value) && isOrderSure(comparable(value as Scalar))
}

/** The text of conditions: the same for the same conditions. */
export function conditionsText(conditions: readonly Condition[]): string {
  return conditions
    .map(({ path, operator, operands }) => `${JSON.stringify(path)}${operator}${canonicalText(operands)}`)
    .join('&')
}

/** Whether the document may pass all conditions. */
export function mayMatch(conditions: readonly Condition[], document: Document): boolean {
  return conditions.every((condition) => mayPass(condition, valuesAt(document, condition.path.split('.'))))
}

function operatorsOf(value: unknown): [string, unknown][] {
  if (scalarKind(value) !== undefined) return [['$eq', value]]
  const isOperators = typeof value === 'object' && value !== null && Object.keys(value).every((name) => name[0] === '$')
  return isOperators ? Object.entries(value) : []
}

function conditionOf(path: string, operator: string, operand: unknown): Condition[] {
  const operands: unknown[] = operator === '$in' && Array.isArray(operand) ? operand : [operand]
  const isTestable = OPERATORS.includes(operator) && operands.every((one) => scalarKind(one) !== undefined)
  return isTestable ? [{ path, operator: operator as Operator, operands: operands as Scalar[] }] : []
}

/** `undefined` among the values: cannot say. */
function mayPass({ operator, operands }: Condition, values: readonly unknown[] | undefined): boolean {
  if (values === undefined) return true
  return values.some((value) => operands.some((operand) => compares(operator, value, operand)))
}

/** The values that a path leads to, through lists as MongoDB goes; `undefined` where that is not certain. */
function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] | undefined {
  if (Array.isArray(value)) {
    // A list in a list, and a number that may be a place in the list or a name in its elements.
    if (value.some(Array.isArray) || /^\d+$/.test(path[0] ?? '')) return undefined
    const each = value.map((element: unknown) => valuesAt(element, path))
    return each.includes(undefined) ? undefined : each.flatMap((values) => values!)
  }
  if (path.length === 0) return [value]
  const [name, ...rest] = path
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name!)) return []
  return valuesAt((value as Document)[name!], rest)
}

function compares(operator: Operator, value: unknown, operand: Scalar): boolean {
  const kind = scalarKind(value)
  // Nothing is equal to a scalar, or before or behind it, but one of its own kind.
  if (value === null || value === undefined || (kind !== undefined && kind !== scalarKind(operand))) return false
  if (kind === undefined) return !isDocument(value)
  const [one, other] = [comparable(value as Scalar), comparable(operand)]
  if (operator === '$eq' || operator === '$in') return one === other
  if (!isOrderSure(one) || !isOrderSure(other)) return true
  if (operator === '$gt') return one > other
  if (operator === '$gte') return one >= other
  return operator === '$lt' ? one < other : one <= other
}

/** A document within a document is equal to no scalar, unlike what BSON's other classes may stand for. */
function isDocument(value: unknown): boolean {
  return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && !('_bsontype' in value!)
}

function comparable(value: Scalar): string | number | boolean {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'object' ? value.toHexString() : value
}

/** MongoDB compares strings by their bytes, JavaScript by units of UTF-16: the same below the surrogates. */
function isOrderSure(value: string | number | boolean): boolean {
  if (typeof value === 'string') return !/[\uD800-\uFFFF]/.test(value)
  return typeof value === 'number'
}

/** The kind of values that can be compared with certainty; numbers of other types than JavaScript's are left to the server. */
function scalarKind(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : 'number'
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : 'date'
  return (value as { _bsontype?: string } | null | undefined)?._bsontype === 'ObjectId' ? 'ObjectId' : undefined
}
