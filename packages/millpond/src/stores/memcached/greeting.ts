/** What is said first on a connection: who we are, and what the server can do. */
import { StoreError } from '../../core/errors.ts'
import type { Address } from './address.ts'
import type { Reply } from './replies.ts'

/** What the server said of itself. */
export interface Greeted {
  /** The largest item that it stores, in bytes, its own bookkeeping included. */
  readonly itemBytesMax: number
}

/**
 * The commands, and what tells their last reply. The login is that of Memcached's text protocol (`-Y`): the first `set` on
 * a connection, whatever its key is.
 */
export function greeting({ login }: Address): { text: string; isWhole: (reply: Reply) => boolean } {
  const secret = login === undefined ? '' : `${login.user} ${login.password}`
  const first = login === undefined ? '' : `set login 0 0 ${Buffer.byteLength(secret)}\r\n${secret}\r\n`
  return { text: `${first}mn\r\nstats settings\r\n`, isWhole: ({ status }) => status === 'END' }
}

/** @throws StoreError when it is a server on which fills can not be fenced */
export function greetedBy(replies: readonly Reply[], { name }: Address): Greeted {
  const settings = new Map(replies.map(({ line }) => line.split(' ').slice(1, 3) as [string, string]))
  if (settings.get('cas_enabled') === 'no')
    throw new StoreError(`${name} runs without compare-and-set: start it without -C`)
  return { itemBytesMax: Number(settings.get('item_size_max') ?? ITEM_BYTES_MAX) }
}

/** Memcached's default, for proxies that tell nothing. */
const ITEM_BYTES_MAX = 1024 ** 2
