/**
 * A thing that looks like another and answers some names itself. Methods run on the original: `pg` keeps state that a copy
 * would not have.
 */
export function facadeOf<T extends object>(original: T, own: Readonly<Record<string | symbol, unknown>>): T {
  const bound = new WeakMap<object, unknown>()
  return new Proxy(original, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      // Classes are handed out as they are; methods have no prototype.
      if (typeof value !== 'function' || Object.hasOwn(value, 'prototype')) return value
      const known = bound.get(value) ?? value.bind(target)
      bound.set(value, known)
      return known
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}
