/** Whether a client may give a command now: who it is, what it is in the middle of, and how the server is. */
import type { Arguments } from '../engine/arguments.ts'
import { outOfMemory, ReplyError } from '../engine/errors.ts'
import type { Reply } from '../engine/reply.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { CLIENT_MODE, SERVICE_MODE } from './modes.ts'
import { busy } from './scripting/busy.ts'

/**
 * Returns whether the command is to be run now; if not, it was queued in a transaction (and that is answered) or put off
 * until a pause ends.
 *
 * @throws ReplyError when the command is refused
 */
export function admit(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): boolean {
  const { modes, service } = client
  const queueing = (modes & CLIENT_MODE.QUEUEING) !== 0
  if ((modes & CLIENT_MODE.UNAUTHENTICATED) !== 0 && !entry.needsNoUser) {
    throw client.lost ?? new ReplyError('Authentication required.', 'NOAUTH')
  }
  if ((modes & CLIENT_MODE.METERED) !== 0 && !entry.needsNoUser && !entry.has('admin')) client.charge()
  if (queueing && entry.has('no_multi')) throw new ReplyError('Command not allowed inside a transaction')
  if ((modes & CLIENT_MODE.LIMITED) !== 0) service.accessControl.check(client, entry, args)
  if (service.modes !== 0) checkService(client, entry, args, queueing)
  if ((modes & CLIENT_MODE.SUBSCRIBED) !== 0 && client.protocol === 2 && !entry.isPubsub) {
    throw new ReplyError(
      `Can't execute '${entry.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    )
  }
  if ((service.modes & SERVICE_MODE.PAUSED) !== 0 && service.pause.holds(client, entry, args)) {
    service.pause.postpone(client, entry, args, reply)
    return false
  }
  if (!queueing || entry.endsQueue) return true
  client.transaction!.queue(entry, args)
  reply.simple('QUEUED')
  return false
}

/** Whether the server is in a state to run a command. @throws ReplyError why not */
export function checkService(client: Client, entry: CommandEntry, args: Arguments, queueing: boolean): void {
  const { service } = client
  const replaying = (client.modes & CLIENT_MODE.REPLAYING) !== 0
  if ((service.modes & SERVICE_MODE.BUSY) !== 0 && !entry.has('allow_busy')) throw busy(service.scripts.run!)
  if ((service.modes & SERVICE_MODE.BOUNDED) !== 0 && !replaying) {
    const fills =
      (queueing && !entry.endsQueue) ||
      anyOf(client, entry, args, ({ needsMemory }: CommandEntry): boolean => needsMemory)
    if (!service.hasRoom() && fills) throw outOfMemory()
  }
  if ((service.modes & SERVICE_MODE.LOG_FAILED) !== 0 && !replaying) {
    if (entry.fullName === 'ping' || anyOf(client, entry, args, ({ writes }) => writes)) throw service.logFault()
  }
}

/** Of EXEC what it would run is asked. */
export function anyOf(
  client: Client,
  entry: CommandEntry,
  args: Arguments,
  test: (entry: CommandEntry, args: Arguments) => boolean,
): boolean {
  return entry.fullName === 'exec' ? (client.transaction?.some(test) ?? false) : test(entry, args)
}
