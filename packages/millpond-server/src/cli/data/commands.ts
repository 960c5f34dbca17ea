/** `millpond get`, `set` and their like: single keys of a cache. What they do is loaded when one is asked for. */
import type { Command } from 'commander'
import type { Exit } from '../print.ts'
import { type ReachFlags, reaching, whole } from '../reach-flags.ts'
import type { KeysFlags, SetFlags } from './keys.ts'

/** Adds them to the program. */
export function addDataCommands(program: Command, exit: Exit): void {
  const load = () => import('./keys.ts')
  const end = (work: Promise<number>): Promise<void> => work.then(exit)

  reaching(program.command('get').description('print the value of a key'))
    .argument('<key>')
    .option('--raw', 'print its bytes and nothing else, without the end of a line')
    .action((key: string, flags: ReachFlags & { raw?: boolean }) => end(load().then((keys) => keys.get(key, flags))))

  reaching(program.command('set').description("put a value under a key; '-' is what comes from stdin"))
    .argument('<key>')
    .argument('<value>')
    .option('--ttl <duration>', "how long it is kept, such as '5m' (default: as the cache has it)")
    .option('--if <state>', 'only if the key is absent, or present')
    .action((key: string, value: string, flags: ReachFlags & SetFlags) =>
      end(load().then((keys) => keys.set(key, value, flags))),
    )

  reaching(program.command('delete').description('delete keys; prints how many there were'))
    .argument('<keys...>')
    .action((names: string[], flags: ReachFlags) => end(load().then((keys) => keys.deleteKeys(names, flags))))

  reaching(program.command('incr').description('add to the number under a key; prints what it is then'))
    .argument('<key>')
    .argument('[by]', 'a whole number, which may be below 0', '1')
    .action((key: string, by: string, flags: ReachFlags) => end(load().then((keys) => keys.increment(key, by, flags))))

  reaching(program.command('keys').description('list keys, as they are met'))
    .argument('[pattern]', "such as 'user:*'", '*')
    .option('--limit <n>', 'end after so many', whole, 1000)
    .action((pattern: string, flags: ReachFlags & KeysFlags) => end(load().then((keys) => keys.list(pattern, flags))))

  reaching(program.command('ttl').description('print how long a key is still kept, or change that'))
    .argument('<key>')
    .argument('[duration]', "such as '5m', or 'forever'")
    .action((key: string, duration: string | undefined, flags: ReachFlags) =>
      end(load().then((keys) => keys.ttl(key, duration, flags))),
    )
}
