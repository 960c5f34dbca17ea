/** How a client and a service greet each other: HELLO, and what the server says of itself. */
import { ServiceError } from '../../core/errors.ts'
import type { ServiceAddress } from './address.ts'
import { textOf } from './replies.ts'
import type { ServiceReply } from './reply-reader.ts'
import type { CommandWord } from './words.ts'

/** What a server has said of itself. */
export interface Greeting {
  /** The version of Millpond. */
  readonly version: string
  /** Names of commands that are Millpond's own: `fill`, `cache`, `token`, `topic`. */
  readonly commands: readonly string[]
  /** The number of this connection at the server. */
  readonly clientId: number
}

/** The name of clients that name no cache. */
export const HOME = 'default'

/** The first command of a connection. */
export function hello({ cache = HOME, token }: ServiceAddress): CommandWord[] {
  return ['HELLO', 3, ...(token === undefined ? [] : ['AUTH', cache, token]), 'SETNAME', 'millpond']
}

/** @throws ServiceError where this is no Millpond */
export function greetingOf(reply: ServiceReply, { place, cache, token }: ServiceAddress): Greeting {
  const fields: ReadonlyMap<ServiceReply, ServiceReply> = reply instanceof Map ? reply : new Map()
  const own = fields.get('millpond')
  if (!(own instanceof Map)) {
    const server = `${textOf(fields.get('server'))} ${textOf(fields.get('version'))}`.trim()
    const advice = 'with other servers use millpond/valkey'
    throw new ServiceError('unsupported', `${place} is no Millpond, it says that it is ${server}; ${advice}`)
  }
  if (token === undefined && cache !== undefined && cache !== HOME) {
    throw new ServiceError(
      'access',
      `the cache ${cache} at ${place} needs a token: millpond://${cache}:<token>@${place}`,
    )
  }
  return {
    version: textOf(own.get('version')),
    commands: ((own.get('commands') ?? []) as readonly ServiceReply[]).map(textOf),
    clientId: Number(fields.get('id')),
  }
}
