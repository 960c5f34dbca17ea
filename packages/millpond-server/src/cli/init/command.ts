/** `millpond init`: everything that a first service needs. What it does is loaded when it is asked for. */
import type { Command } from 'commander'

export interface InitFlags {
  readonly dir: string
  readonly host: string
  readonly port: string
  readonly memcachedPort: string
  readonly httpPort: string
  readonly memory: string
  readonly tls: boolean
  readonly append?: string
  readonly profile: string
  readonly json?: boolean
}

/** Adds `init` to the program. */
export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('write a configuration, make a first cache, its token and a certificate, and say how to connect')
    .argument('[cache]', 'name of the first cache', 'main')
    .option('--dir <folder>', 'where all of it is kept', 'millpond-data')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'of the Redis protocol; with TLS, one more', '6379')
    .option('--memcached-port <port>', 'of the memcached protocol; with TLS, one more', '11211')
    .option('--http-port <port>', 'of HTTP; with TLS, one more', '8379')
    .option('--memory <size>', 'what keys and values may take', '1gb')
    .option('--no-tls', 'without a certificate')
    .option('--append <when>', 'write changes to disk: no, everysec or always')
    .option('--profile <name>', 'under which name the admin can reach it: see millpond profile', 'local')
    .option('--json', 'print JSON')
    .addHelpText('after', NOTE)
    .action(async (cache: string, flags: InitFlags) => (await import('./init.ts')).init(cache, flags))
}

const NOTE = `
Nothing is overwritten: where there is a millpond.conf already, it says so. On loopback each protocol has a port with TLS
and one without; on other addresses only the one with TLS. Then: millpond serve`
