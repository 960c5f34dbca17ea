/**
 * The contracts of the ports: what every store, bus, feed and transport has to do, written once. A contract is a list of named
 * checks; each throws when the subject breaks it. They need no test runner:
 *
 * ```ts
 * for (const { name, run } of storeContract) test(name, () => run({ open: () => myStore(), pass: sleep }))
 * ```
 */
export interface ContractCheck<Subject> {
  readonly name: string
  /** Runs the check; rejects with what the subject broke. */
  readonly run: (subject: Subject) => Promise<void>
}

/** @throws Error with `promise`, when it is not kept */
export function holds(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`the contract is broken: ${promise}`)
}

/** @throws Error naming both, when they do not have the same JSON text */
export function same(actual: unknown, expected: unknown, promise: string): void {
  const [got, wanted] = [shown(actual), shown(expected)]
  holds(got === wanted, `${promise}: got ${got} instead of ${wanted}`)
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' ? String(part) : part)) ?? 'undefined'
}
