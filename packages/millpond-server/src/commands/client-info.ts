/** A client in one line: what CLIENT LIST, CLIENT INFO and ACL LOG tell of it. */
import type { Client } from './client.ts'
import { CLIENT_MODE } from './modes.ts'

/** What a client is, for CLIENT LIST TYPE and CLIENT KILL TYPE. */
export type ClientType = 'normal' | 'pubsub'

export function clientType({ modes }: Client): ClientType {
  return (modes & CLIENT_MODE.SUBSCRIBED) === 0 ? 'normal' : 'pubsub'
}

/** About what a client takes when it has nothing to say. */
const BYTES_OF_ONE = 2048

/** About how many bytes a client takes. */
export function clientBytes(client: Client): number {
  return BYTES_OF_ONE + client.inputMemory + client.outputBytes + (client.transaction?.bytes ?? 0) + client.heldBytes
}

export function clientInfo(client: Client): string {
  const { service, subscriptions, transaction, tracking } = client
  const nowMs = service.time.nowMs
  const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000))
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', client.id],
    ['addr', client.address],
    ['laddr', client.localAddress],
    ['fd', client.id + 7],
    ['name', client.name],
    ['age', seconds(client.createdAtMs)],
    ['idle', seconds(client.activeAtMs)],
    ['flags', flagsOf(client)],
    ['db', client.db.index],
    ['sub', subscriptions?.channel.size ?? 0],
    ['psub', subscriptions?.pattern.size ?? 0],
    ['ssub', subscriptions?.shard.size ?? 0],
    ['multi', transaction ? transaction.commands.length : -1],
    ['qbuf', client.inputBytes],
    ['qbuf-free', 0],
    ['argv-mem', client.argumentBytes],
    ['multi-mem', transaction?.bytes ?? 0],
    ['rbs', 1024],
    ['rbp', 0],
    ['obl', 0],
    ['oll', client.outputBytes > 0 ? 1 : 0],
    ['omem', client.outputBytes],
    ['tot-mem', clientBytes(client)],
    ['events', 'r'],
    ['cmd', client.lastCommand?.fullName ?? 'NULL'],
    ['user', client.user.name],
    ['redir', tracking ? tracking.redirect : -1],
    ['resp', client.protocol],
  ]
  return fields.map(([name, value]) => `${name}=${value}`).join(' ')
}

function flagsOf(client: Client): string {
  const { service, tracking } = client
  const flags = [
    service.monitors.has(client) && 'O',
    (client.modes & CLIENT_MODE.SUBSCRIBED) !== 0 && 'P',
    client.transaction && 'x',
    client.waiting && 'b',
    tracking && 't',
    tracking?.redirectBroken && 'R',
    tracking?.broadcast && 'B',
    client.watchBroken && 'd',
    client.noEvict && 'e',
    (client.modes & CLIENT_MODE.NO_TOUCH) !== 0 && 'T',
    service.settings.path !== '' && client.address === `${service.settings.path}:0` && 'U',
  ].filter((flag) => typeof flag === 'string')
  return flags.join('') || 'N'
}
