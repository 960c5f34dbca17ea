import { PlatformError } from '../core/errors.ts'
import { builtin } from '../core/platform.ts'

/**
 * The request tier: inside `runRequest`, and in all that it awaits, each key of a cache is read at most once, and reads
 * of it agree with each other. Bound to the asynchronous call chain by Node's AsyncLocalStorage.
 */
export type RequestMemo = Map<string, Promise<unknown>>

interface Storage {
  run<R>(memos: Memos, fn: () => R): R
  getStore(): Memos | undefined
}
type Memos = Map<object, RequestMemo>

/** Undefined until the first request, so that a cache without requests pays one comparison. */
let storage: Storage | undefined

/**
 * Runs `fn` with an empty memo for each cache. Inside another request, `fn` shares the memos of that one.
 *
 * @throws PlatformError (`ERR_PLATFORM`) where there is no AsyncLocalStorage
 */
export function runRequest<R>(fn: () => R): R {
  storage ??= createStorage()
  return storage.getStore() ? fn() : storage.run(new Map(), fn)
}

/** The memo of `owner` (a cache) in the request that this code runs in, if it does. */
export function currentMemo(owner: object): RequestMemo | undefined {
  const memos = storage?.getStore()
  if (!memos) return undefined
  let memo = memos.get(owner)
  if (!memo) memos.set(owner, (memo = new Map()))
  return memo
}

/** What `memo` has for `key`, else what `read` gives. A read that fails is forgotten: the next one tries again. */
export function readOnce<V>(memo: RequestMemo, key: string, read: () => Promise<V>): Promise<V> {
  const known = memo.get(key)
  if (known) return known as Promise<V>
  const reading = read()
  memo.set(key, reading)
  reading.catch(() => {
    if (memo.get(key) === reading) memo.delete(key)
  })
  return reading
}

function createStorage(): Storage {
  const hooks = builtin<{ AsyncLocalStorage: new () => Storage }>('node:async_hooks')
  if (!hooks) throw new PlatformError('cache.request()', 'AsyncLocalStorage (node:async_hooks)')
  return new hooks.AsyncLocalStorage()
}
