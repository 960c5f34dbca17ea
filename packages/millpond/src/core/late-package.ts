/** Packages that are no dependencies: looked for when they are first needed. */
import { builtin } from './platform.ts'

/**
 * The package of this name, from where this library lies, else from where the application runs: strict installs keep the
 * two apart. Rejects with why it could not be loaded; who calls knows what to tell his user.
 */
export async function loadPackage(name: string): Promise<unknown> {
  try {
    return await import(name)
  } catch (error) {
    const node = builtin<typeof import('node:module')>('node:module')
    if (node === undefined) throw error
    const { cwd } = builtin<typeof import('node:process')>('node:process')!
    return node.createRequire(`${cwd()}/`)(name)
  }
}
