/**
 * Which changes of a table void an answer that depends on some of its rows, in words. New values are always known; old ones as
 * far as the table's replica identity goes, and where they are not known any UPDATE or DELETE counts.
 */
import type { IdentityFacts } from './catalog-facts.ts'

/** @param columns those that the conditions of the query compare; none: any row matters */
export function changesOf(columns: readonly string[], identities: readonly IdentityFacts[]): string {
  if (columns.length === 0) return 'any change of the table: the query has no condition that tells its rows apart'
  if (identities.some(({ key }) => key.length === 0))
    return 'any change of the table: without a primary key its rows cannot be told apart'
  if (!identities.every((identity) => identity.key.every((name) => knows(identity, name))))
    return 'such rows when inserted, and any UPDATE or DELETE of the table: its replica identity lacks the primary key'
  if (identities.every(({ kind }) => kind === 'f'))
    return 'changes of such rows only: old and new values are known (REPLICA IDENTITY FULL)'
  const unknown = columns.filter((name) => !identities.every((identity) => knows(identity, name)))
  const kinds = [...new Set(identities.filter(({ kind }) => kind !== 'f').map(({ kind }) => KINDS[kind] ?? kind))].join(
    ' and ',
  )
  if (unknown.length === 0)
    return `changes of such rows only: of old rows ${columns.join(' and ')} is known (REPLICA IDENTITY ${kinds})`
  return (
    `such rows when inserted, and any UPDATE or DELETE of the table: of old rows ${unknown.join(' and ')} is not known ` +
    `(REPLICA IDENTITY ${kinds}); with REPLICA IDENTITY FULL it would be`
  )
}

const KINDS: Readonly<Record<string, string>> = { d: 'DEFAULT', i: 'USING INDEX', n: 'NOTHING' }

function knows({ kind, columns }: IdentityFacts, name: string): boolean {
  return kind === 'f' || columns.includes(name)
}
