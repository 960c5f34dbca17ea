/** The two servers that are compared: ours as it is built and published, and redis-server, pinned to the same core in turn. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ChildServer, startChild } from '../../../../tools/servers/child.ts'
import { ask } from '../../../../tools/servers/resp.ts'
import { pinTo } from '../store/pin.ts'

export const SERVER_CORE = 0
export const LOAD_CORE = 1

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
export const MAIN: string = `${ROOT}packages/millpond-server/dist/cli/main.js`

/** Builds the packages: what users run is measured, not the sources. */
export function build(): void {
  const packages = ['packages/millpond', 'packages/millpond-server'].flatMap((path) => ['--workspace', path])
  execFileSync('npm', ['run', 'build', '--silent', ...packages], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  if (!existsSync(MAIN)) throw new Error(`the build has not made ${MAIN}`)
}

/**
 * Starts one of the two, without persistence.
 *
 * @param memory `maxmemory`, such as '64mb'
 * @param flags of Node, for ours
 */
export async function start(
  name: 'millpond' | 'redis',
  memory = '4gb',
  flags: readonly string[] = [],
): Promise<ChildServer> {
  const isOurs = name === 'millpond'
  const server = await startChild({
    name,
    command: isOurs ? process.execPath : 'redis-server',
    args: (port) =>
      isOurs
        ? [...flags, MAIN, 'serve', '--port', `${port}`, '--memory', memory]
        : ['--port', `${port}`, '--save', '', '--maxmemory', memory, '--maxmemory-policy', 'allkeys-lru'],
    ready: async (port) => {
      try {
        const info = String(await ask({ port }, 'INFO', 'server'))
        return Number(/process_id:(\d+)/.exec(info)?.[1])
      } catch {
        return undefined
      }
    },
  })
  pinTo(server.pid, SERVER_CORE)
  return server
}

/** Seconds of CPU that a process has used, all threads, in the kernel too. */
export function cpuSeconds(pid: number): number {
  const words = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(words[11]) + Number(words[12])) / TICKS_A_SECOND
}

/** What Linux counts CPU time in, for programs. */
const TICKS_A_SECOND = 100

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
