/**
 * Whether a value is a plain object: made by `{}`, by `JSON.parse` or with no prototype, in whatever realm. What has a
 * class is not: its methods and its identity would be lost on the way through text.
 */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
