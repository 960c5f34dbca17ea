/** Millpond's own server as a child process: bundled once, since it starts in a third of the time that its sources take. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type ChildServer, startChild } from './child.ts'
import { ask, type RespReply } from './resp.ts'
import { until } from './until.ts'

/** A running server. */
export interface MillpondServer extends ChildServer {
  command(...command: readonly (string | number)[]): Promise<RespReply>
}

let bundled: Promise<string> | undefined

/** Starts `millpond serve` with more arguments, and Node with others; resolves once it serves. */
export async function startMillpond(
  args: readonly string[] = [],
  ofNode: readonly string[] = [],
): Promise<MillpondServer> {
  const main = await millpondProgram()
  const child = await startChild({
    name: 'millpond',
    command: process.execPath,
    args: (port, dir) => [...ofNode, main, 'serve', '--port', String(port), '--dir', dir, ...args],
    ready: processId,
    startTimeoutMs: 60_000,
  })
  // Its first thread answers before the others listen.
  await until('all threads listen', () => Promise.resolve(child.log().includes('Ready to accept connections')))
  return Object.assign(child, {
    command: (...command: readonly (string | number)[]) => ask({ port: child.port, timeoutMs: 20_000 }, ...command),
  })
}

/** The command `millpond` as a file for Node, which starts faster than the sources do. */
export function millpondProgram(): Promise<string> {
  bundled ??= bundle()
  return bundled
}

async function processId(port: number): Promise<number | undefined> {
  const info = await ask({ port }, 'INFO', 'server').catch(() => undefined)
  const match = typeof info === 'string' ? /process_id:(\d+)/.exec(info) : null
  return match ? Number(match[1]) : undefined
}

/** Below `node_modules`, so that packages that cannot be bundled are found from there. A folder a process: tests run side by side. */
async function bundle(): Promise<string> {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const source = join(root, 'packages/millpond-server/src')
  const folder = join(root, 'node_modules/.cache/millpond-server', String(process.pid))
  const outdir = join(folder, 'dist/cli')
  mkdirSync(outdir, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "0.0.0" }')
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await build({
    entryPoints: {
      main: join(source, 'cli/main.ts'),
      'rewrite-process': join(source, 'commands/persistence/rewrite-process.ts'),
      'worker-main': join(source, 'threads/worker-main.ts'),
    },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@millpond/source'],
    external: ['pg', 'pg-native', 'prom-client'],
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'error',
  })
  return join(outdir, 'main.js')
}
