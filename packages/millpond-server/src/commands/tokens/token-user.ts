/**
 * The user that a token makes: its scopes as rules of access control, so that one mechanism decides for every protocol, for
 * transactions and for scripts.
 *
 * Implementation note. Each scope allows by itself what is wholly within it; a command that touches two scopes' keys is in
 * neither. The first scope of keys and the first of topics share a selector, since no command has both. Of commands without keys a
 * token that has not all keys may give those alone that tell nothing of others' keys: SCAN and KEYS leave these out, events
 * and invalidations of others' keys are not sent to it, and what can not be divided (DBSIZE, RANDOMKEY, INFO, FLUSHALL,
 * FUNCTION) is refused. Scripts run as who calls them. What is of the server and not of a cache (CONFIG, ACL, CLIENT KILL,
 * MONITOR, SLOWLOG, DEBUG, SAVE, MIGRATE, which connects to elsewhere) is an admin's.
 */
import { isWhole, parseScope, patternOf, type Scope, WHOLE_CACHE } from '../../security/scope.ts'
import type { Grant } from '../../security/token.ts'
import { User } from '../acl/user.ts'
import type { CommandTable } from '../command-table.ts'

/** What every token may do: it is about the connection, and tells nothing of the cache. */
const OF_CONNECTIONS =
  'ping echo select time wait lolwut asking readonly readwrite multi exec discard watch unwatch command acl|whoami acl|cat ' +
  'acl|genpass client|id client|info client|getname client|setname client|setinfo client|reply client|caching ' +
  'client|getredir client|tracking client|trackinginfo client|help'

/** By what may be done with keys: categories, then what they lack or have too much. */
const WITH_KEYS = {
  read: '+@read +eval_ro +evalsha_ro +fcall_ro +script|load +script|exists',
  write: '+@write',
  readwrite: '+@read +@write +eval +evalsha +eval_ro +evalsha_ro +fcall +fcall_ro +script|load +script|exists',
} as const
const NEVER = '-migrate -function'
/** What can not be divided among keys. */
const UNDIVIDED = '-dbsize -randomkey -flushall -flushdb -swapdb'
const WITH_ALL_KEYS = {
  read: '+info +memory +function|list +function|dump +function|stats -flushall -flushdb -swapdb',
  write: '',
  readwrite: '+info +memory +function +script',
} as const

const WITH_TOPICS = {
  read: [
    'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe',
    'topic|read topic|subscribe topic|unsubscribe topic|info',
  ],
  write: ['publish spublish', 'topic|publish'],
} as const

/** The user of a token. */
export function tokenUser(
  { name, admin, scopes }: Pick<Grant, 'name' | 'admin' | 'scopes'>,
  table: CommandTable,
): User {
  return admin
    ? userOf(`token:${name}`, ['~* &* +@all'], table)
    : scopedUser(`token:${name}`, scopes.map(parseScope), table)
}

/** The user of an access key: all of its cache. */
export function accessKeyUser(key: string, table: CommandTable): User {
  return scopedUser(`key:${key}`, WHOLE_CACHE, table)
}

function scopedUser(name: string, scopes: readonly Scope[], table: CommandTable): User {
  const keys = scopes.filter((scope) => scope.of === 'keys')
  const topics = scopes.filter((scope) => scope.of === 'topics')
  const own = [connectionRules(), keyRules(keys[0]), topicRules(topics[0])].join(' ')
  const user = userOf(name, [own, ...keys.slice(1).map(keyRules), ...topics.slice(1).map(topicRules)], table)
  user.seesAllKeys = keys.some((scope) => isWhole(scope) && scope.access !== 'write')
  return user
}

function userOf(name: string, [own = '', ...others]: readonly string[], table: CommandTable): User {
  const user = new User(name, table)
  for (const rule of own.split(' ').filter(Boolean)) user.apply(rule, false)
  for (const rules of others) user.apply(`(${rules})`, false)
  return user
}

function connectionRules(): string {
  return allow(OF_CONNECTIONS)
}

function keyRules(scope: Scope | undefined): string {
  if (scope === undefined) return ''
  const { access } = scope
  const more = isWhole(scope) ? WITH_ALL_KEYS[access] : UNDIVIDED
  const sign = { read: '%R~', write: '%W~', readwrite: '~' }[access]
  return `${WITH_KEYS[access]} ${NEVER} ${more} ${sign}${patternOf(scope)}`
}

function topicRules(scope: Scope | undefined): string {
  if (scope === undefined) return ''
  const { access } = scope
  const commands = [
    ...(access === 'write' ? [] : [...WITH_TOPICS.read, isWhole(scope) ? 'pubsub' : '']),
    ...(access === 'read' ? [] : WITH_TOPICS.write),
  ]
  return `${allow(commands.join(' '))} &${patternOf(scope)}`
}

function allow(names: string): string {
  return names
    .split(' ')
    .filter(Boolean)
    .map((name) => `+${name}`)
    .join(' ')
}
