/** `millpond serve`: the service, until it is told to stop. */
import type { Command } from 'commander'
import { startServer } from '../../server.ts'

export function addServeCommand(root: Command): void {
  root
    .command('serve')
    .description('Serve caches by the Redis protocol.')
    .option('-p, --port <port>', 'port to listen on', Number, 6379)
    .action(async ({ port }: { port: number }) => {
      const server = await startServer({ port })
      process.stdout.write(`Ready to accept connections on 127.0.0.1:${server.port}\n`)
      await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
      await server.close()
    })
}
