/** `millpond serve`: its options. What it does is loaded when it is asked for. */
import type { Command } from 'commander'
import type { ServeFlags } from './settle.ts'

/** @param redis what follows `--redis-conf`; `undefined`: that was not given */
export function addServeCommand(root: Command, redis: readonly string[] | undefined): void {
  root
    .command('serve')
    .description('serve caches by the protocols of Redis and memcached, and by HTTP')
    .option('--config <file>', 'what millpond init has written (default: ./millpond.conf, where there is one)')
    .option('-p, --port <port>', 'port of the Redis protocol; 0 takes any free one (default: 6379)')
    .option('--memcached-port <port>', 'port of the memcached protocol (default: none)')
    .option('--http-port <port>', 'port of HTTP (default: none)')
    .option('--tls-cert <file>', 'a certificate in PEM: then these ports speak TLS')
    .option('--tls-key <file>', 'its key')
    .option('--host <address>', 'address to listen on (default: loopback)')
    .option('--socket <path>', 'Unix socket of the Redis protocol to listen on, too')
    .option('--tokens', 'clients have to give a token, a password or an access key')
    .option('--requirepass <password>', 'what clients that name no user have to say first')
    .option('--without-tls', 'listen beyond loopback although anyone on the way can read')
    .option('--without-tokens', 'listen beyond loopback although anyone there may do everything')
    .option('--memory <size>', 'how much keys and values may take (default: 1gb)')
    .option('--policy <name>', 'who leaves when memory is full: the names of maxmemory-policy, or allkeys-tinylfu')
    .option('--append <when>', 'write changes to disk: always, everysec or no')
    .option('--dir <folder>', 'where that is written, and what is known of caches and tokens')
    .option('--threads <count>', 'threads that accept clients and run commands on strings (default: 1)')
    .option(
      '--redis-conf <file> [arguments...]',
      "read Redis's own configuration file; what follows are arguments as redis-server has them",
    )
    .action(async (flags: ServeFlags) => (await import('./serve.ts')).serve(flags, redis))
}
