/**
 * The conditions that a pipeline puts on the documents of its collection. `$match` stages at its beginning are such; one behind
 * `$unwind` is too, read as a condition on the whole document: a document of which an unwound part passes has a list with an element
 * that passes. What comes after the first other stage has no say: it depends on these documents only.
 */
import type { Document } from '../client.ts'
import { type Condition, conditionsOf } from '../conditions.ts'

export function pushedConditions(pipeline: readonly Document[]): readonly Condition[] {
  const conditions: Condition[] = []
  /** Fields that `$unwind` has made: the document does not have them. */
  const made: string[] = []
  for (const stage of pipeline) {
    const [name] = Object.keys(stage)
    if (name === '$match') {
      conditions.push(
        ...conditionsOf(stage.$match as Document).filter(({ path }) => !made.some((field) => overlap(field, path))),
      )
    } else if (name === '$unwind') {
      const { includeArrayIndex } = stage.$unwind as { includeArrayIndex?: string }
      if (includeArrayIndex !== undefined) made.push(includeArrayIndex)
    } else if (name !== '$sort') break
  }
  return conditions
}

/** The filters of the `$match` stages that see documents as they are. */
export function leadingFilters(pipeline: readonly Document[]): readonly Document[] {
  const end = pipeline.findIndex((stage) => !('$match' in stage || '$sort' in stage))
  const leading = end < 0 ? pipeline : pipeline.slice(0, end)
  return leading.flatMap((stage) => ('$match' in stage ? [stage.$match as Document] : []))
}

/** Whether one path lies within the other. */
function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`)
}
