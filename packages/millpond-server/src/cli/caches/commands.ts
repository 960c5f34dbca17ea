/** `millpond cache`: caches of a service, for its admin. */
import type { Command } from 'commander'
import { addGroup } from '../group.ts'
import { type ReachFlags, reaching } from '../reach-flags.ts'
import type { SettingFlags } from './caches.ts'

/** Adds `cache` and its commands to the program. */
export function addCacheCommands(program: Command): void {
  const group = addGroup(program, 'cache', 'make, look at, change and delete caches by name')
  const load = () => import('./caches.ts')
  const command = (name: string, description: string) => reaching(group.command(name).description(description))

  settings(command('create', 'make a cache').argument('<name>'))
    .option('--append <when>', 'write its changes to disk: no, everysec or always')
    .action(async (name: string, flags: ReachFlags & SettingFlags) => (await load()).create(name, flags))
  command('list', 'names of the caches, with what they hold').action(async (flags: ReachFlags) =>
    (await load()).list(flags),
  )
  command('describe', 'what a cache is, what it may, and what it holds')
    .argument('<name>')
    .action(async (name: string, flags: ReachFlags) => (await load()).describe(name, flags))
  settings(command('update', 'change what is given of a cache, at once').argument('<name>')).action(
    async (name: string, flags: ReachFlags & SettingFlags) => (await load()).update(name, flags),
  )
  command('delete', 'delete a cache with all that it holds, its tokens and its access keys')
    .argument('<name>')
    .option('--yes', 'without being asked')
    .action(async (name: string, flags: ReachFlags & { yes?: boolean }) => (await load()).remove(name, flags))
  command('flush', 'empty a cache')
    .argument('<name>')
    .option('--yes', 'without being asked')
    .action(async (name: string, flags: ReachFlags & { yes?: boolean }) => (await load()).flush(name, flags))
  command('access-key', 'make one of the two access keys of a cache anew: a plain password, told this once')
    .argument('<name>')
    .argument('<key>', 'primary or secondary')
    .action(async (name: string, key: string, flags: ReachFlags) => (await load()).accessKey(name, key, flags))
}

function settings(command: Command): Command {
  return command
    .option('--max-memory <size>', "what keys and values may take, such as '64mb'")
    .option('--policy <name>', 'who leaves when it is full: the names of maxmemory-policy, or allkeys-tinylfu')
    .option('--default-ttl <duration>', "the life of a key that is stored without one, such as '1h'; 0: for ever")
    .option('--max-ttl <duration>', 'no key lives longer; 0: no bound')
    .option('--item-size <size>', 'the longest key and value together')
    .option('--operations <n>', 'operations a second of all clients together; 0: no bound')
    .option('--bytes-in <size>', 'bytes a second from all clients; 0: no bound')
    .option('--bytes-out <size>', 'bytes a second to all clients; 0: no bound')
    .option('--connections <n>', 'clients at once; 0: no bound')
}
