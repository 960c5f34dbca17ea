/**
 * A built-in module of Node, or `undefined` where there is none (browsers, edge runtimes). `import 'millpond'` stays
 * free of `node:` imports, so it bundles anywhere, and what needs Node asks here.
 */
export function builtin<Module>(name: string): Module | undefined {
  const host = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process
  return host?.getBuiltinModule?.(name) as Module | undefined
}
