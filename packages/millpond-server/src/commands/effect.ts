/**
 * What another protocol does for a client, under the rules of the Redis command that has the same effect: who may do it,
 * whether there is room for it, and counted, watched and logged as that command.
 */
import { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import { checkService } from './admission.ts'
import { follow } from './call.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { CLIENT_MODE, SERVICE_MODE } from './modes.ts'

/**
 * Begins it. Returns whether it may be done now: if not, `client.resume` is called when it may be tried again.
 *
 * @param args the words of the Redis command, as far as they are keys; the name is not looked at
 * @throws ReplyError when it is refused
 */
export function beginEffect(client: Client, entry: CommandEntry, args: Arguments): boolean {
  const { service } = client
  client.lastCommand = entry
  if ((client.modes | service.modes) !== 0 && !admitEffect(client, entry, args)) return false
  service.sharing?.enterKeys(client, entry, args)
  service.statistics.begin(entry.id)
  service.current = client
  service.depth = 1
  return true
}

/** Ends what was begun. `count`: the changes before it (`service.changes.count`). */
export function endEffect(client: Client, entry: CommandEntry, args: Arguments, count: number): void {
  const { service } = client
  service.depth = 0
  service.current = undefined
  const changed = service.changes.count !== count
  // The words are not those of the Redis command: who has changed something has said to the log what it is.
  if (changed && service.logs.log !== undefined) client.logged ??= []
  if (changed || client.logged !== undefined) follow(client, client.db, entry, args, changed)
  service.sharing?.leave()
}

function admitEffect(client: Client, entry: CommandEntry, args: Arguments): boolean {
  const { modes, service } = client
  if ((modes & CLIENT_MODE.UNAUTHENTICATED) !== 0) {
    throw client.lost ?? new ReplyError('Authentication required.', 'NOAUTH')
  }
  if ((modes & CLIENT_MODE.METERED) !== 0) client.charge()
  if ((modes & CLIENT_MODE.LIMITED) !== 0) service.accessControl.check(client, entry, args)
  if (service.modes === 0) return true
  checkService(client, entry, args, false)
  if ((service.modes & SERVICE_MODE.PAUSED) !== 0 && service.pause.holds(client, entry, args)) {
    service.pause.hold(client)
    return false
  }
  if ((service.modes & SERVICE_MODE.MONITORED) !== 0)
    service.monitors.tell(client, Arguments.of([entry.fullName, ...args.texts(1)]))
  return true
}
