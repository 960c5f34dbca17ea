import type { MeshMap } from './mesh-map.ts'

/** What is called of a map. */
type Keyed<V> = Pick<MeshMap<V>, 'get' | 'set' | 'has' | 'delete' | 'keys'>

/**
 * A map as a plain dictionary: `d.key`, `d.key = value`, `'key' in d`, `delete d.key`, `Object.keys(d)`, spreading. It has no
 * prototype, so every text may be a key. It is a view: nothing is copied, and all the map's promises and errors are its own.
 */
export function asDictionary<V>(map: Keyed<V>): Record<string, V> {
  // A function as the target would be callable, an array would have a length: an object without a prototype has nothing.
  return new Proxy<Record<string, V>>(Object.create(null), {
    get: (_, key) => (typeof key === 'string' ? map.get(key) : undefined),
    has: (_, key) => typeof key === 'string' && map.has(key),
    set(_, key, value) {
      if (typeof key !== 'string') return false
      map.set(key, value)
      return true
    },
    defineProperty(_, key, { value, get, set }) {
      if (typeof key !== 'string' || get || set) return false
      map.set(key, value)
      return true
    },
    deleteProperty(_, key) {
      if (typeof key === 'string') map.delete(key)
      return true
    },
    ownKeys: () => [...map.keys()],
    getOwnPropertyDescriptor(_, key) {
      if (typeof key !== 'string' || !map.has(key)) return undefined
      return { value: map.get(key), writable: true, enumerable: true, configurable: true }
    },
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  })
}
