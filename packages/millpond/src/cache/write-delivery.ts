import type { Change, Failure, Newer, WriteTarget } from './write-queue.ts'

/** A call to the database, and the changes that it carries. */
interface Call<I, V> {
  readonly part: readonly Change<I, V>[]
  readonly run: () => Promise<unknown>
}

/**
 * Carries out changes of different keys. One outcome for each, in order: what it threw, or `undefined`. Does not reject.
 * `newer` gives the change of a key that waits behind the one under way.
 */
export async function deliver<I, V>(
  target: WriteTarget<I, V>,
  changes: readonly Change<I, V>[],
  newer: Newer<I, V>,
): Promise<readonly (Failure | undefined)[]> {
  const failures = new Map<Change<I, V>, Failure>()
  const carry = async ({ part, run }: Call<I, V>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      for (const change of part) failures.set(change, { error })
    }
  }
  await Promise.all(callsOf(target, changes, newer).map(carry))
  return changes.map((change) => failures.get(change))
}

/** Makes readers of the cache see a change that was accepted. */
export async function show<I, V>(target: WriteTarget<I, V>, { id, value, removed }: Change<I, V>): Promise<void> {
  if (removed) await target.host.delete(target.key(id))
  else await target.values.set(target.key(id), value as V, target.entryOf(id, value as V))
}

/** One call for all that `writeMany` takes, else one each. */
function callsOf<I, V>(
  target: WriteTarget<I, V>,
  changes: readonly Change<I, V>[],
  newer: Newer<I, V>,
): readonly Call<I, V>[] {
  const { write, writeMany, remove } = target.options
  const sets = changes.filter((change) => !change.removed)
  const calls = changes.filter((change) => change.removed).map((change) => removal(target, change, remove!))
  if (writeMany && (sets.length > 1 || !write)) {
    const run = () => writeMany(sets.map(({ id, value }) => [id, value as V]))
    if (sets.length > 0) calls.push(setting(target, sets, newer, run))
  } else {
    for (const set of sets) calls.push(setting(target, [set], newer, () => write!(set.id, set.value as V)))
  }
  return calls
}

function removal<I, V>(target: WriteTarget<I, V>, change: Change<I, V>, remove: (id: I) => unknown): Call<I, V> {
  const keys = [target.key(change.id)]
  return { part: [change], run: () => target.host.mutate({ keys }, () => remove(change.id)) }
}

function setting<I, V>(
  target: WriteTarget<I, V>,
  part: readonly Change<I, V>[],
  newer: Newer<I, V>,
  run: () => unknown,
): Call<I, V> {
  const { values, key, entryOf } = target
  const entries = part.map(({ id, value }) => {
    return { key: key(id), value: value as V, options: entryOf(id, value as V) }
  })
  const write = async (): Promise<void> => {
    // A change that came before the cache began to watch the key for this write: shown again, it voids what this keeps.
    await Promise.all(entries.map(async (entry) => newer(entry.key) && show(target, newer(entry.key)!)))
    await run()
  }
  return { part, run: () => values.writeThrough(entries, write) }
}
