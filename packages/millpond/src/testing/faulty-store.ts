import type { Store } from '../core/store.ts'

/** What a call of a faulty store is about to do. */
export interface StoreCall {
  readonly method: keyof Store
  /** 1 for the first call. */
  readonly count: number
}

/**
 * Wraps a store so that a test decides what becomes of each call: `fault` may return a promise (the call is made when it
 * resolves: a delay), throw or reject (the call fails and is not made), or return nothing. `answer` decides in the same way
 * what becomes of its answer: delayed, or lost although the call was made. `watch` asks the store nothing, and is left alone.
 */
export function faultyStore(
  store: Store,
  fault: (call: StoreCall) => void | Promise<void>,
  answer: (call: StoreCall) => void | Promise<void> = () => {},
): Store {
  let count = 0
  return new Proxy(store, {
    get(target, method: keyof Store) {
      const member = target[method] as unknown
      if (typeof member !== 'function') return member
      if (method === 'watch') return (member as Store['watch'] & {}).bind(target)
      return async (...args: unknown[]) => {
        const call = { method, count: ++count }
        await fault(call)
        const result = await (member as (...args: unknown[]) => unknown).apply(target, args)
        await answer(call)
        return result
      }
    },
  })
}
