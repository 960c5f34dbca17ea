/** Users, and what each of them may do. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { CommandEntry } from '../command-table.ts'
import { CLIENT_MODE } from '../modes.ts'
import type { Service } from '../service.ts'
import type { Session } from '../tokens/session.ts'
import { type AclContext, AclLog, type AclReason } from './acl-log.ts'
import { type Denial, hasSpaces } from './selector.ts'
import { User } from './user.ts'

/** What a user is told who may not. */
const REFUSALS = {
  command: (name: string): string => `this user has no permissions to run the '${name}' command`,
  key: (): string => 'this user has no permissions to access one of the keys used as arguments',
  channel: (): string => 'this user has no permissions to access one of the channels used as arguments',
}

export class AccessControl {
  readonly log: AclLog = new AclLog()
  /** Who a client is that has not said so. */
  readonly defaultUser: User
  readonly #service: Service
  #users = new Map<string, User>()

  constructor(service: Service) {
    this.#service = service
    this.defaultUser = this.#newDefault()
    this.#users.set('default', this.defaultUser)
    service.configuration.follow('requirepass', (password) => this.#require(password))
  }

  /** By name, in order. */
  get users(): User[] {
    return [...this.#users.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  user(name: string): User | undefined {
    return this.#users.get(name)
  }

  /** Whether clients must say who they are. */
  get mustAuthenticate(): boolean {
    return !this.defaultUser.enabled || !this.defaultUser.noPassword
  }

  /** Makes a client a newcomer. */
  welcome(client: Client): void {
    this.#become(client, this.defaultUser)
    client.authenticated = !this.mustAuthenticate
    this.refresh(client)
  }

  /** Makes a client who a token or an access key says that it is. */
  welcomeAs(client: Client, session: Session): void {
    this.#become(client, session.user, session)
    session.clients.add(client)
    this.refresh(client)
  }

  /** Lets a client do nothing until it says anew who it is: it is told why. */
  bar(client: Client, why: ReplyError): void {
    this.#become(client, new User('nobody', this.#service.commands))
    client.authenticated = false
    client.lost = why
    this.refresh(client)
  }

  #become(client: Client, user: User, session?: Session): void {
    if (client.session !== session) client.session?.leave(client)
    client.session = session
    client.lost = undefined
    client.user = user
    client.authenticated = true
  }

  /** Makes a client a user. Returns whether the password is right. */
  authenticate(client: Client, name: string, password: string): boolean {
    const user = this.#users.get(name)
    if (!user?.accepts(password)) {
      this.#note(client, 'auth', 'AUTH', contextOf(client), name)
      return false
    }
    this.#become(client, user)
    this.refresh(client)
    return true
  }

  /** Sets the bits of a client by what its user may do. */
  refresh(client: Client): void {
    const mustSay = this.mustAuthenticate || client.lost !== undefined
    client.setMode(CLIENT_MODE.UNAUTHENTICATED, !client.authenticated && mustSay)
    client.setMode(CLIENT_MODE.LIMITED, !client.user.unlimited)
    client.setMode(CLIENT_MODE.METERED, this.#service.meter.isBounded || client.session?.meter !== undefined)
  }

  /** As `refresh`, of all clients. */
  refreshAll(): void {
    for (const client of this.#service.clients.values()) this.refresh(client)
  }

  /** Refuses what the user of a client may not do. @throws ReplyError NOPERM */
  check(client: Client, entry: CommandEntry, args: Arguments): void {
    const denial = this.denial(client, entry, args, contextOf(client))
    if (denial) throw new ReplyError(REFUSALS[denial.reason](entry.fullName), 'NOPERM')
  }

  /** Why a client may not give a command; `undefined`: it may. What is refused is in ACL LOG. */
  denial(client: Client, entry: CommandEntry, args: Arguments, context: AclContext): Denial | undefined {
    const denial = client.user.denial(entry, args)
    if (denial === undefined) return undefined
    const object = denial.reason === 'command' ? entry.fullName : args.text(denial.place)
    this.#note(client, denial.reason, object, context, client.user.name)
    return denial
  }

  /** ACL SETUSER: all rules or none. @throws ReplyError which one is wrong */
  set(name: string, rules: readonly string[]): void {
    const user = this.#users.get(name) ?? new User(name, this.#service.commands)
    const changed = new User(name, this.#service.commands)
    if (this.#users.has(name)) changed.become(user)
    else changed.apply('reset', this.#channelsByDefault)
    this.#apply(changed, rules, (rule, why) => `Error in ACL SETUSER modifier '${rule}': ${why}`)
    if (this.#users.has(name)) this.#endForbidden(user, changed)
    user.become(changed)
    this.#users.set(name, user)
    this.refreshAll()
  }

  /** Makes the users of a configuration file, each a name and its rules. @throws ReplyError one is there twice, or wrong */
  configure(users: readonly (readonly string[])[]): void {
    const seen = new Set<string>()
    for (const [name = '', ...rules] of users) {
      checkName(name)
      if (seen.has(name)) throw new ReplyError(`Duplicate user '${name}' found. A user can only be defined once`)
      seen.add(name)
      this.set(name, ['reset', ...rules])
    }
  }

  /** Removes users, and ends their connections. Returns how many there were. */
  delete(names: readonly string[]): number {
    let count = 0
    for (const name of names) {
      const user = this.#users.get(name)
      if (!user) continue
      this.#users.delete(name)
      this.#endAll(user)
      count++
    }
    return count
  }

  /** All users as lines of a file. */
  get text(): string {
    return this.users.map((user) => `user ${user.name} ${user.text}\n`).join('')
  }

  /** Replaces all users by those of a file's text: all lines, or none. @throws ReplyError what is wrong in which line */
  load(text: string, file: string): void {
    const users = new Map<string, User>()
    const faults: string[] = []
    text.split('\n').forEach((line, at) => {
      const fault = this.#loadLine(line.trim(), users)
      if (fault !== undefined) faults.push(`${file}:${at + 1}${fault}. `)
    })
    if (faults.length > 0) {
      throw new ReplyError(
        `${faults.join('')}WARNING: ACL errors detected, no change to the previously active ACL rules was performed`,
      )
    }
    this.#replace(users)
  }

  #loadLine(line: string, users: Map<string, User>): string | undefined {
    const [word, name, ...rules] = line.split(' ').filter(Boolean)
    if (word === undefined) return undefined
    if (word !== 'user' || name === undefined) return ' should start with user keyword followed by the username'
    if (users.has(name)) return `: WARNING: Duplicate user '${name}' found`
    const user = new User(name, this.#service.commands)
    user.apply('reset', this.#channelsByDefault)
    try {
      this.#apply(user, rules, (rule, why) =>
        why.startsWith('Unknown') ? `: Error in applying operation '${rule}': ${why}` : `: ${why}`,
      )
    } catch (error) {
      if (error instanceof ReplyError) return error.message
      throw error
    }
    users.set(name, user)
    return undefined
  }

  #replace(users: Map<string, User>): void {
    const before = this.#users
    this.#endForbidden(this.defaultUser, users.get('default') ?? this.#newDefault())
    this.defaultUser.become(users.get('default') ?? this.#newDefault())
    users.set('default', this.defaultUser)
    this.#users = users
    for (const user of before.values()) if (user !== this.defaultUser) this.#endAll(user)
    this.refreshAll()
  }

  #apply(user: User, rules: readonly string[], say: (rule: string, why: string) => string): void {
    for (const rule of merged(rules)) {
      try {
        user.apply(rule, this.#channelsByDefault)
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        throw new ReplyError(say(rule, error.message))
      }
    }
  }

  /** Ends connections that listen to channels which the user may no longer. */
  #endForbidden(user: User, changed: User): void {
    if (changed.selectors.some(({ allChannels }) => allChannels)) return
    const allows = (name: string, isPattern: boolean): boolean =>
      changed.selectors.some((selector) => selector.allowsChannel(name, isPattern))
    for (const client of this.#service.clients.values()) {
      if (client.user !== user || client.subscriptions === undefined) continue
      const { channel, pattern, shard, topic } = client.subscriptions
      const holds =
        [...pattern].every((name) => allows(name, true)) &&
        [...channel, ...shard, ...topic].every((name) => allows(name, false))
      if (!holds) client.close(client === this.#service.current ? 'after the answer' : 'now')
    }
  }

  #endAll(user: User): void {
    for (const client of this.#service.clients.values()) {
      if (client.user !== user) continue
      client.user = this.defaultUser
      client.authenticated = false
      client.close(client === this.#service.current ? 'after the answer' : 'now')
    }
  }

  get #channelsByDefault(): boolean {
    return this.#service.configuration.text('acl-pubsub-default') === 'allchannels'
  }

  #newDefault(): User {
    const user = new User('default', this.#service.commands)
    for (const rule of ['on', 'nopass', '~*', '&*', '+@all']) user.apply(rule, true)
    return user
  }

  #require(password: string): void {
    this.defaultUser.apply('resetpass', true)
    this.defaultUser.apply(password === '' ? 'nopass' : `>${password}`, true)
    this.refreshAll()
  }

  #note(client: Client, reason: AclReason, object: string, context: AclContext, username: string): void {
    const { time, configuration } = this.#service
    const max = configuration.number('acllog-max-len')
    this.log.add({ reason, context, object, username, atMs: time.nowMs, clientInfo: client.info }, max)
  }
}

function contextOf(client: Client): AclContext {
  return client.transaction || client.service.depth > 1 ? 'multi' : 'toplevel'
}

/** Rules with those between parentheses put together: `(~a` `+get)` is one. @throws ReplyError one is not closed */
export function merged(rules: readonly string[]): string[] {
  const whole: string[] = []
  let open: string | undefined
  for (const rule of rules) {
    if (open !== undefined) open += ` ${rule}`
    else if (rule.startsWith('(') && !rule.endsWith(')')) open = rule
    else whole.push(rule)
    if (open?.endsWith(')')) {
      whole.push(open)
      open = undefined
    }
  }
  if (open !== undefined) {
    throw new ReplyError(`Unmatched parenthesis in acl selector starting at '${open.split(' ', 1)[0]}'.`)
  }
  return whole
}

export function checkName(name: string): void {
  if (hasSpaces(name)) throw new ReplyError("Usernames can't contain spaces or null characters")
}
