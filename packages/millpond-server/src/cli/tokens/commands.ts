/** `millpond token`: what opens caches, for an admin. */
import type { Command } from 'commander'
import { addGroup } from '../group.ts'
import { type ReachFlags, reaching, whole } from '../reach-flags.ts'
import type { TokenFlags } from './tokens.ts'

/** Adds `token` and its commands to the program. */
export function addTokenCommands(program: Command): void {
  const group = addGroup(program, 'token', 'make, list and revoke tokens')
  const load = () => import('./tokens.ts')
  const command = (name: string, description: string) => reaching(group.command(name).description(description))

  command('create', 'make a token; it is told this once')
    .argument('<name>', 'what it is called in lists')
    .option('--for <cache>', "the cache that it opens; '*': each of them (default: the one in the url, or 'default')")
    .option('--scope <scope>', 'what it may do, once or more: keys:read:user:* or topics:write:news', gathered, [])
    .option('--admin', 'it may do everything, everywhere')
    .option('--ttl <duration>', "how long it is good for, such as '30d' (default: until it is revoked)")
    .option('--disposable', 'for one session: not listed, 25 h at most')
    .option('--operations <n>', 'operations a second of all its connections together', whole)
    .addHelpText('after', SCOPES)
    .action(async (name: string, flags: ReachFlags & TokenFlags) => (await load()).create(name, flags))
  command('list', 'what tokens there are, what each may do and when it was last used').action(
    async (flags: ReachFlags) => (await load()).list(flags),
  )
  command('revoke', 'end a token and its connections, at once')
    .argument('<name-or-id>')
    .action(async (name: string, flags: ReachFlags) => (await load()).revoke(name, flags))
  command('rotate', 'sign new tokens with a new key; those of the key before go on until the next rotation')
    .option('--retire', 'end the tokens of the older key now, and make no new one')
    .action(async (flags: ReachFlags & { retire?: boolean }) => (await load()).rotate(flags))
}

const SCOPES = `
A scope is (keys|topics):(read|write|readwrite)[:name or beginning*]. Without one a token may read and write all of its
cache. 'write' alone does not read: INCR, or SET with GET, need readwrite.`

function gathered(value: string, before: readonly string[]): string[] {
  return [...before, value]
}
