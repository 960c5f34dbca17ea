import { OptionError } from '../core/errors.ts'
import type { Change, WriteTarget } from './write-queue.ts'

/** Carries out one change of a source now: in its database, then in the cache. Rejects with what the write threw. */
export async function writeNow<I, V>(target: WriteTarget<I, V>, { id, value, removed }: Change<I, V>): Promise<void> {
  const { host, values, options, key } = target
  const { name, write, writeMany, remove } = options
  if (removed) {
    // Without `remove`, a delete only concerns the cache.
    return remove ? void (await host.mutate({ keys: [key(id)] }, () => remove(id))) : host.delete(key(id))
  }
  if (!write && !writeMany) {
    throw new OptionError('write', write, `give the source ${name} a write or a writeMany to call set`)
  }
  const entry = { key: key(id), value: value as V, options: target.entryOf(id, value as V) }
  await values.writeThrough([entry], () => (write ? write(id, value as V) : writeMany!([[id, value as V]])))
}
