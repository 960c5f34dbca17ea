/** `millpond backup`, `restore` and `import`: whole caches, while they are used. */
import type { Command } from 'commander'
import type { Exit } from '../print.ts'
import { type ReachFlags, reaching } from '../reach-flags.ts'
import type { TransferFlags } from './transfer.ts'

/** Adds them to the program. */
export function addTransferCommands(program: Command, exit: Exit): void {
  const run = (kind: 'backup' | 'restore' | 'import') => async (place: string, flags: ReachFlags & TransferFlags) =>
    exit(await (await import('./transfer.ts')).transfer(kind, place, flags))

  reaching(
    program.command('backup').description('back a cache up while it is used; redis-server can load the file too'),
  )
    .argument('<location>', 'a folder, a file that ends with .rdb, or s3://bucket/folder')
    .option('--list', 'print what backups are there, instead')
    .addHelpText('after', WHERE)
    .action(async (place: string, flags: ReachFlags & TransferFlags) => {
      if (!flags.list) return run('backup')(place, flags)
      return (await import('./transfer.ts')).listBackups(place, flags)
    })

  reaching(
    program.command('restore').description('bring back a backup, or any RDB file, after it was found to be whole'),
  )
    .argument('<location>', 'a file that ends with .rdb; of a folder, the last backup of this cache')
    .option('--replace', 'into a cache that holds something: its keys are replaced')
    .addHelpText('after', WHERE)
    .action(run('restore'))

  reaching(program.command('import').description('bring what a running Redis or memcached holds, without stopping it'))
    .argument('<source>', 'redis://password@host:6379, memcached://host:11211, or a file that ends with .rdb')
    .option('--replace', 'replace keys that are there already')
    .addHelpText('after', WHERE)
    .action(run('import'))
}

const WHERE = `
The work is done by the server: a path is one of its machine, and keys for S3 stand in its environment. Ctrl-C ends it;
what was brought until then stays. It needs an admin's token.`
