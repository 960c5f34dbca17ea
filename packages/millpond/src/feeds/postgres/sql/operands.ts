/** What a column is compared with: a value that is known when the query runs. */
import { type Node, namesOf, nodeOf } from './ast.ts'

/** A parameter or a literal, with the type that it is cast to where the query says so. */
export type Operand =
  | { readonly parameter: number; readonly isArray?: true; readonly cast?: string }
  | { readonly text: string | null; readonly cast?: string }

/** The operand that a node is, or undefined when its value is not known beforehand. */
export function operandOf(node: Node | undefined): Operand | undefined {
  const parameter = nodeOf<{ number: number }>(node, 'ParamRef')
  if (parameter) return { parameter: parameter.number }
  const literal = nodeOf<Literal>(node, 'A_Const')
  if (literal) return literalOf(literal)
  const cast = nodeOf<{ arg: Node; typeName: TypeName }>(node, 'TypeCast')
  const inner = cast && operandOf(cast.arg)
  const type = cast && typeOf(cast.typeName)
  // A cast of a cast, or to a type with a length or of arrays, may change the value.
  if (!inner || inner.cast !== undefined || type === undefined) return undefined
  return { ...inner, cast: type }
}

/** The operands of a list, or of a parameter that is an array (`= ANY($1)`). */
export function operandsOf(node: Node, isAny = false): readonly Operand[] | undefined {
  const list = nodeOf<{ items: readonly Node[] }>(node, 'List')
  if (list) return all(list.items.map(operandOf))
  if (!isAny) return undefined
  const array = nodeOf<{ elements?: readonly Node[] }>(node, 'A_ArrayExpr')
  if (array) return all((array.elements ?? []).map(operandOf))
  const cast = nodeOf<{ arg: Node; typeName: TypeName }>(node, 'TypeCast')
  const parameter = nodeOf<{ number: number }>(cast ? cast.arg : node, 'ParamRef')
  if (!parameter) return undefined
  if (!cast) return [{ parameter: parameter.number, isArray: true }]
  const type = typeOf(cast.typeName, true)
  return type === undefined ? undefined : [{ parameter: parameter.number, isArray: true, cast: type }]
}

interface Literal {
  readonly isnull?: boolean
  readonly ival?: { readonly ival?: number }
  readonly fval?: { readonly fval: string }
  readonly sval?: { readonly sval?: string }
  readonly boolval?: { readonly boolval?: boolean }
}

interface TypeName {
  readonly names?: readonly Node[]
  readonly typmods?: readonly Node[]
  readonly arrayBounds?: readonly Node[]
}

/** Zero, the empty string and false are left out of their nodes. */
function literalOf({ isnull, ival, fval, sval, boolval }: Literal): Operand | undefined {
  if (isnull) return { text: null }
  if (ival) return { text: String(ival.ival ?? 0) }
  if (fval) return { text: fval.fval }
  if (sval) return { text: sval.sval ?? '' }
  if (boolval) return { text: String(boolval.boolval ?? false), cast: 'bool' }
  return undefined
}

/** The name of a type as the catalog has it, without a length; of an array's elements where `isArray`. */
function typeOf({ names = [], typmods, arrayBounds }: TypeName, isArray = false): string | undefined {
  if (typmods !== undefined || (arrayBounds !== undefined) !== isArray) return undefined
  const parts = namesOf(names)
  const name = parts?.at(-1)
  return parts?.length === 1 || parts?.[0] === 'pg_catalog' ? name : undefined
}

function all(operands: readonly (Operand | undefined)[]): readonly Operand[] | undefined {
  return operands.includes(undefined) ? undefined : (operands as Operand[])
}
