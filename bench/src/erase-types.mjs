/**
 * Lets a child process run our TypeScript as `tsc` emits it: types are erased, and nothing is added. (tsx wraps every
 * named closure in a call that sets its name, which users of the built package do not pay.) Newer Nodes erase types
 * by themselves. Used as `node --import erase-types.mjs`.
 */

import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transform } from 'esbuild'

// Node runs the hooks of `register` in a thread of their own, which imports this file once more.
if (isMainThread && !process.features.typescript) register(import.meta.url)

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), { loader: 'ts', target: 'es2023' })
  return { format: 'module', source: code, shortCircuit: true }
}
