/** The options that commands share by which they reach a service. No client is loaded for them. */
import { type Command, InvalidArgumentError } from 'commander'

/** The options of every command that speaks to a service. */
export interface ReachFlags {
  url?: string
  profile?: string
  cache?: string
  token?: string
  ca?: string
  insecure?: boolean
  timeout?: string
  json?: boolean
}

/** Gives a command those options. */
export function reaching(command: Command): Command {
  return command
    .option('--url <url>', 'where the service is: millpond://cache:token@host:6379, millponds:// with TLS')
    .option('--profile <name>', 'a place that was saved: see millpond profile')
    .option('--cache <name>', 'the cache, in place of the one in the url')
    .option('--token <token>', 'the token, in place of the one in the url; MILLPOND_TOKEN hides it from other users')
    .option('--ca <file>', 'the certificate to trust, with TLS')
    .option('--insecure', 'trust any certificate')
    .option('--timeout <duration>', "how long a command may take, such as '5s'")
    .option('--json', 'print JSON')
}

/** A whole number from 1 up, for options. */
export function whole(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Give a whole number from 1 up.')
}

/** A number above 0, for options. */
export function positive(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('Give a number above 0.')
}
