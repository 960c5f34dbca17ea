import type { Store } from '../../core/store.ts'
import { addressesOf } from './address.ts'
import { Connection } from './connection.ts'
import { type MemcachedStoreOptions, resolveOptions } from './options.ts'
import { RingStore } from './ring-store.ts'
import { ServerStore } from './server-store.ts'

/**
 * A shared tier on Memcached 1.6 or later, for `createCache({ store })`. One read is one round trip to each server
 * concerned, whatever the number of keys and tags. Connections are opened at once, do not
 * keep the process alive while they are idle, and are ended by `close()`.
 *
 * Several servers share the keys by consistent hashing: all processes must name the same servers in the same words (in
 * any order). A server that is down keeps its keys, which are loaded from the source meanwhile; it is told what it missed when it is
 * back. One that was taken out of the list has to be emptied before it comes back.
 *
 * @param servers `'10.0.0.1:11211,10.0.0.2:11211'` or a list of such texts; see `docs/stores.md`
 * @throws OptionError (`ERR_OPTION`)
 */
export function memcachedStore(servers: string | readonly string[], options: MemcachedStoreOptions = {}): Store {
  const settings = resolveOptions(options)
  const stores = addressesOf(servers).map((address) => {
    const name = `${settings.name} ${address.name}`
    const connection = new Connection({ ...settings, address })
    void connection.greeted().catch(() => undefined) // so that it is there when it is needed; who asks is told why not
    return { name: address.name, store: new ServerStore({ ...settings, name, connection }) }
  })
  return stores.length === 1 ? stores[0]!.store : new RingStore({ ...settings, servers: stores })
}
