/** Pins a process that runs to a core. */
import { spawnSync } from 'node:child_process'

/** Returns whether it could: `taskset` is not everywhere. */
export function pinTo(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-acp', String(core), String(pid)]).status === 0
}
