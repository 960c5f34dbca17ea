/** Starts the server under test. Ours is bundled from the sources into one file first, so that it starts as fast as a release. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { type ChildServer, startChild } from '../servers/child.ts'
import { ask } from '../servers/resp.ts'
import type { Contender } from './suite.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const WORKER = 'worker-main.js'
let threads = 1
/** Bundled programs by their source. */
const bundled = new Map<string, string>()

/** The file that `node` runs as our command line. */
export function millpondProgram(): string {
  const main = program('packages/millpond-server/src/cli/main.ts')
  // A thread's program lies beside that of the server, by this name.
  if (threads > 1)
    copyFileSync(program('packages/millpond-server/src/threads/worker-main.ts'), join(dirname(main), WORKER))
  return main
}

/** From now on our servers have so many threads. */
export function useThreads(count: number): void {
  threads = count
}

/** The file that `node` runs for a source of this repository. Beside the packages, so that it finds its dependencies. */
export function program(source: string): string {
  const before = bundled.get(source)
  if (before !== undefined) return before
  const home = join(ROOT, 'packages/millpond-server')
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { dependencies: object }
  const own = join(home, 'node_modules/.cache/conformance', `${process.pid}`)
  const folder = join(own, 'dist/bundle')
  mkdirSync(folder, { recursive: true })
  process.once('exit', () => rmSync(own, { recursive: true, force: true }))
  // The program reads its version from two folders up: from a file of this run, as others may be under way.
  writeFileSync(join(own, 'package.json'), '{ "type": "module", "version": "0.0.0" }\n')
  const file = join(folder, `program-${bundled.size}.js`)
  buildSync({
    entryPoints: [join(ROOT, source)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@millpond/source'],
    external: [...Object.keys(manifest.dependencies).filter((name) => name !== 'millpond'), 'pg-*', 'libpg-query'],
    outfile: file,
    logLevel: 'error',
  })
  bundled.set(source, file)
  return file
}

/** How the redis suites' stand-in for `redis-server` is called: with a configuration file and arguments of Redis. */
export function standIn(contender: Contender): string {
  if (contender === 'redis') return '#!/bin/sh\nexec /usr/bin/redis-server "$@"\n'
  const more = threads > 1 ? ` --io-threads ${threads}` : ''
  return [
    '#!/bin/sh',
    // Where its file names no address redis-server listens on all, and ours on loopback: the suites speak to it from beyond.
    `if [ -f "$1" ] && ! grep -q '^bind' "$1"; then file=$1; shift; set -- "$file" --bind '* -::*' "$@"; fi`,
    `exec ${process.execPath} ${millpondProgram()} serve --redis-conf "$@"${more}`,
    '',
  ].join('\n')
}

/** A server on a free port of loopback, without persistence. */
export function startContender(
  contender: Contender,
  args: readonly string[] = [],
  port?: number,
): Promise<ChildServer> {
  const isRedis = contender === 'redis'
  const extra = isRedis ? ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'] : []
  return startChild({
    name: contender,
    command: isRedis ? 'redis-server' : process.execPath,
    args: (ownPort) =>
      isRedis
        ? ['--port', `${ownPort}`, ...extra, ...args]
        : [millpondProgram(), 'serve', '--port', `${ownPort}`, '--threads', `${threads}`, ...args],
    ready: async (ownPort) => {
      try {
        return (await ask({ port: ownPort }, 'PING')) === 'PONG' ? process.pid : undefined
      } catch {
        return undefined
      }
    },
    port,
  })
}
