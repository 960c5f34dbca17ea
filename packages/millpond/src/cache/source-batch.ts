import { OptionError } from '../core/errors.ts'
import { type BatchItem, whenAllAborted } from './batcher.ts'
import type { SourceOptions } from './source-options.ts'
import type { LoadContext } from './types.ts'

/** Runs one batch of loads through a source's `loadMany`. Two loads of one key (one was voided) ask for it once. */
export async function runBatch<I, V>(
  loadMany: SourceOptions<I, V>['loadMany'] & {},
  items: readonly BatchItem<I, LoadContext<V | undefined>>[],
): Promise<(V | undefined)[]> {
  const byKey = new Map<string, I>()
  for (const { id, ctx } of items) if (!byKey.has(ctx.key)) byKey.set(ctx.key, id)
  let signal: AbortSignal | undefined
  const found = await loadMany([...byKey.values()], {
    get signal() {
      signal ??= whenAllAborted(items.map((item) => item.ctx.signal))
      return signal
    },
    set(id, options) {
      for (const { ctx } of items) if (byKey.get(ctx.key) === id) ctx.set(options)
    },
  })
  if (!(found instanceof Map)) throw new OptionError('loadMany', found, 'return a Map from id to value')
  return items.map(({ ctx }) => found.get(byKey.get(ctx.key)!))
}
