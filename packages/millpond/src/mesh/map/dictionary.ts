import { INSPECT, type MeshMap } from './mesh-map.ts'

/** What is called of a map. */
type Keyed<V> = Pick<MeshMap<V>, 'get' | 'set' | 'has' | 'delete' | 'keys'>

/**
 * A map as a plain dictionary: `d.key`, `d.key = value`, `'key' in d`, `delete d.key`, `Object.keys(d)`, spreading. It has no
 * prototype, so every text may be a key. It is a view: nothing is copied, and all the map's promises and errors are its own.
 */
export function asDictionary<V>(map: Keyed<V>): Record<string, V> {
  // A function as the target would be callable, an array would have a length: an object without a prototype has nothing.
  const target: Record<string | symbol, V> = Object.create(null)
  // Whoever prints a proxy looks at its target.
  Object.defineProperty(target, INSPECT, { value: () => ({ ...view }), configurable: true })
  const view = new Proxy<Record<string, V>>(target, {
    get: (_, key) => (typeof key === 'string' ? map.get(key) : undefined),
    has: (_, key) => typeof key === 'string' && map.has(key),
    set(_, key, value, receiver) {
      if (typeof key !== 'string') return false
      // Somebody has the view as its prototype: it gets a field of its own.
      if (receiver !== view) return Reflect.defineProperty(receiver as object, key, { ...FIELD, value })
      map.set(key, value)
      return true
    },
    defineProperty(_, key, field) {
      if (typeof key !== 'string' || !isPlainField(field)) return false
      if ('value' in field || !map.has(key)) map.set(key, field.value)
      return true
    },
    deleteProperty(_, key) {
      if (typeof key === 'string') map.delete(key)
      return true
    },
    ownKeys: () => [...map.keys()],
    getOwnPropertyDescriptor(_, key) {
      if (typeof key !== 'string' || !map.has(key)) return undefined
      return { ...FIELD, value: map.get(key) }
    },
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  })
  return view
}

/** What every field is. */
const FIELD = { writable: true, enumerable: true, configurable: true }

/** Whether a field is asked for of the only kind that there is. What is not said of it is meant so. */
function isPlainField({
  get,
  set,
  writable = true,
  enumerable = true,
  configurable = true,
}: PropertyDescriptor): boolean {
  return !get && !set && writable && enumerable && configurable
}
