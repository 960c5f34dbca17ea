/** `millpond stats`, `top` and `monitor`: what a service does. */
import type { Command } from 'commander'
import type { Exit } from '../print.ts'
import { positive, type ReachFlags, reaching, whole } from '../reach-flags.ts'

/** Adds them to the program. */
export function addObserveCommands(program: Command, exit: Exit): void {
  reaching(program.command('stats').description('print what a cache holds and does'))
    .option('--section <name>', 'of INFO, all of it: memory, clients, commandstats …')
    .action(async (flags: ReachFlags & { section?: string }) => (await import('./stats.ts')).stats(flags))

  reaching(
    program.command('top').description('the same, live, until q or Ctrl-C; a line a look where there is no terminal'),
  )
    .option('--every <seconds>', 'how often to look', positive, 1)
    .option('--count <n>', 'end after so many looks', whole)
    .action(async (flags: ReachFlags & { every: number; count?: number }) => (await import('./top.ts')).top(flags))

  reaching(program.command('monitor').description('print every command that the cache is given, until Ctrl-C'))
    .option('--match <text>', 'only lines with this in them')
    .option('--count <n>', 'end after so many lines', whole)
    .action(async (flags: ReachFlags & { match?: string; count?: number }) =>
      exit(await (await import('./monitor.ts')).monitor(flags)),
    )
}
