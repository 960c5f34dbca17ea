/** `millpond bench`: how fast a service answers, from here. */
import type { Command } from 'commander'
import { type ReachFlags, reaching, whole } from '../reach-flags.ts'
import type { BenchFlags } from './bench.ts'

/** Adds `bench` to the program. */
export function addBenchCommand(program: Command): void {
  reaching(program.command('bench').description('measure a service from here: writes and deletes keys that begin with millpond-bench:')) // biome-ignore format: one line
    .option('--connections <n>', 'connections at once', whole, 20)
    .option('--pipeline <n>', 'commands under way on each of them', whole, 1)
    .option('--operations <n>', 'of each kind', whole, 100_000)
    .option('--bytes <n>', 'of each value', whole, 100)
    .option('--keys <n>', 'different keys', whole, 10_000)
    .action(async (flags: ReachFlags & BenchFlags) => (await import('./bench.ts')).bench(flags))
}
