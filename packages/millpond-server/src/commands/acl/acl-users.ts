/** Commands of ACL that show and change users, and the file that they are kept in. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Command } from '../command.ts'
import type { Service } from '../service.ts'
import { checkName } from './access-control.ts'
import type { Selector } from './selector.ts'
import type { User } from './user.ts'

const common = { since: '6.0.0', group: 'server', flags: ['admin', 'noscript', 'loading', 'stale'] } as const

const setuser: Command = {
  ...common,
  name: 'setuser',
  summary: 'Creates and modifies an ACL user and its rules.',
  complexity: 'O(N) for N rules',
  arity: -3,
  syntax: 'username [rule [rule ...]]',
  run(client, args, reply) {
    client.hide(...Array.from({ length: args.count - 2 }, (_, at) => at + 2))
    const name = args.text(2)
    checkName(name)
    client.service.accessControl.set(name, args.texts(3))
    reply.ok()
  },
}

const deluser: Command = {
  ...common,
  name: 'deluser',
  summary: 'Deletes ACL users, and terminates their connections.',
  complexity: 'O(1) amortized',
  arity: -3,
  syntax: 'username [username ...]',
  run({ service }, args, reply) {
    const names = args.texts(2)
    if (names.includes('default')) throw new ReplyError("The 'default' user cannot be removed")
    reply.integer(service.accessControl.delete(names))
  },
}

const getuser: Command = {
  ...common,
  name: 'getuser',
  summary: 'Lists the ACL rules of a user.',
  complexity: 'O(N) for N rules of the user',
  arity: 3,
  syntax: 'username',
  run({ service }, args, reply) {
    const user = service.accessControl.user(args.text(2))
    if (user === undefined) reply.nil()
    else describe(user, reply)
  },
}

function describe(user: User, reply: Reply): void {
  const [own, ...others] = user.selectors
  const { flags, passwords } = user
  reply.map(6)
  reply.bulk('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.bulk(flag)
  reply.bulk('passwords')
  reply.array(passwords.length)
  for (const password of passwords) reply.bulk(password)
  describeSelector(own!, reply)
  reply.bulk('selectors')
  reply.array(others.length)
  for (const selector of others) {
    reply.map(3)
    describeSelector(selector, reply)
  }
}

function describeSelector(selector: Selector, reply: Reply): void {
  reply.bulk('commands')
  reply.bulk(selector.commandsText)
  reply.bulk('keys')
  reply.bulk(selector.keysText)
  reply.bulk('channels')
  reply.bulk(selector.channelsText)
}

const list: Command = {
  ...common,
  name: 'list',
  summary: 'Dumps the effective rules in ACL file format.',
  complexity: 'O(N) for N users',
  arity: 2,
  run({ service }, _args, reply) {
    const { users } = service.accessControl
    reply.array(users.length)
    for (const user of users) reply.bulk(`user ${user.name} ${user.text}`)
  },
}

const users: Command = {
  ...common,
  name: 'users',
  summary: 'Lists all ACL users.',
  complexity: 'O(N) for N users',
  arity: 2,
  run({ service }, _args, reply) {
    const all = service.accessControl.users
    reply.array(all.length)
    for (const { name } of all) reply.bulk(name)
  },
}

const load: Command = {
  ...common,
  name: 'load',
  summary: 'Reloads the rules from the configured ACL file.',
  complexity: 'O(N) for N users',
  arity: 2,
  run({ service }, _args, reply) {
    const file = fileOf(service)
    loadFile(service, file)
    reply.ok()
  },
}

/** Reads users from a file, by its name as `aclfile` gives it. @throws ReplyError what is wrong in it */
export function loadFile(service: Service, file: string): void {
  let text: string
  try {
    text = readFileSync(pathOf(service, file), 'latin1')
  } catch (error) {
    throw new ReplyError(`Error loading ACLs, opening file '${file}': ${(error as Error).message}`)
  }
  service.accessControl.load(text, file)
}

const save: Command = {
  ...common,
  name: 'save',
  summary: 'Saves the effective ACL rules in the configured ACL file.',
  complexity: 'O(N) for N users',
  arity: 2,
  run({ service }, _args, reply) {
    const file = pathOf(service, fileOf(service))
    try {
      writeFileSync(`${file}.new`, service.accessControl.text, 'latin1')
      renameSync(`${file}.new`, file)
    } catch {
      throw new ReplyError(
        'There was an error trying to save the ACLs. Please check the server logs for more information',
      )
    }
    reply.ok()
  },
}

/** Names of files are meant from the folder `dir`. */
function pathOf({ configuration }: Service, file: string): string {
  return resolve(configuration.text('dir'), file)
}

function fileOf({ configuration }: Service): string {
  const file = configuration.text('aclfile')
  if (file !== '') return file
  throw new ReplyError(
    'This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.',
  )
}

export const aclUsers: readonly Command[] = [deluser, getuser, list, load, save, setuser, users]
