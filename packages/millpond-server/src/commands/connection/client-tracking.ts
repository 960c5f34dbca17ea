/** CLIENT TRACKING and what belongs to it. */
import type { Arguments } from '../../engine/arguments.ts'
import { notInteger, ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import type { TrackingOptions } from '../tracking/tracking.ts'

const common = { group: 'connection', complexity: 'O(1)', flags: ['noscript', 'loading', 'stale'] } as const

const tracking: Command = {
  ...common,
  name: 'tracking',
  since: '6.0.0',
  summary: 'Controls server-assisted client-side caching for the connection.',
  arity: -3,
  syntax: '<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
  run(client, args, reply) {
    const options = optionsOf(client, args)
    if (args.is(2, 'on')) {
      check(client, options)
      client.service.tracking.start(client, {
        ...options,
        prefixes: options.broadcast && options.prefixes.length === 0 ? [''] : options.prefixes,
      })
    } else if (args.is(2, 'off')) client.service.tracking.stop(client)
    else throw syntaxError()
    reply.ok()
  },
}

function optionsOf({ service, user }: Client, args: Arguments): TrackingOptions {
  const options = {
    redirect: 0,
    broadcast: false,
    optIn: false,
    optOut: false,
    noLoop: false,
    prefixes: [] as string[],
  }
  for (let at = 3; at < args.count; at++) {
    const more = at + 1 < args.count
    if (args.is(at, 'redirect') && more) {
      if (options.redirect !== 0) throw new ReplyError('A client can only redirect to a single other client')
      options.redirect = args.integer(++at, notInteger)
      // Who may not see all keys tells of them only who is who it is.
      const target = service.clients.get(options.redirect)
      if (target === undefined || (!user.seesAllKeys && target.user !== user)) {
        throw new ReplyError('The client ID you want redirect to does not exist')
      }
    } else if (args.is(at, 'bcast')) options.broadcast = true
    else if (args.is(at, 'optin')) options.optIn = true
    else if (args.is(at, 'optout')) options.optOut = true
    else if (args.is(at, 'noloop')) options.noLoop = true
    else if (args.is(at, 'prefix') && more) options.prefixes.push(args.text(++at))
    else throw syntaxError()
  }
  return options
}

/** Whether options go together, and with what the client has already. */
function check({ tracking: before }: Client, { broadcast, optIn, optOut, prefixes }: TrackingOptions): void {
  if (!broadcast && prefixes.length > 0) throw new ReplyError('PREFIX option requires BCAST mode to be enabled')
  if (before && before.broadcast !== broadcast) {
    throw new ReplyError(
      "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
    )
  }
  if (broadcast && (optIn || optOut)) throw new ReplyError('OPTIN and OPTOUT are not compatible with BCAST')
  if (optIn && optOut) throw new ReplyError("You can't specify both OPTIN mode and OPTOUT mode")
  if (before && ((optIn && before.optOut) || (optOut && before.optIn))) {
    throw new ReplyError(
      "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
    )
  }
  if (broadcast) checkPrefixes(prefixes, before?.prefixes ?? [])
}

function checkPrefixes(prefixes: readonly string[], present: readonly string[]): void {
  prefixes.forEach((prefix, at) => {
    const old = present.find((other) => other !== prefix && overlap(prefix, other))
    if (old !== undefined) throw overlapping(prefix, 'an existing prefix', old)
    const other = prefixes.slice(at + 1).find((one) => overlap(prefix, one))
    if (other !== undefined) throw overlapping(prefix, 'another provided prefix', other)
  })
}

function overlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}

function overlapping(prefix: string, what: string, other: string): ReplyError {
  return new ReplyError(
    `Prefix '${prefix}' overlaps with ${what} '${other}'. Prefixes for a single client must not overlap.`,
  )
}

const caching: Command = {
  ...common,
  name: 'caching',
  since: '6.0.0',
  summary: 'Instructs the server whether to track the keys in the next request.',
  arity: 3,
  syntax: '<YES | NO>',
  run(client, args, reply) {
    const own = client.tracking
    if (!own) {
      throw new ReplyError(
        'CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
      )
    }
    if (args.is(2, 'yes')) {
      if (!own.optIn) throw new ReplyError('CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.')
    } else if (!args.is(2, 'no')) throw syntaxError()
    else if (!own.optOut) {
      throw new ReplyError('CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.')
    }
    own.cachingGiven = true
    reply.ok()
  },
}

const getredir: Command = {
  ...common,
  name: 'getredir',
  since: '6.0.0',
  summary: 'Returns the client ID to which the connection tracking notifications are redirected.',
  arity: 2,
  run(client, _args, reply) {
    reply.integer(client.tracking?.redirect ?? -1)
  },
}

const trackinginfo: Command = {
  ...common,
  name: 'trackinginfo',
  since: '6.2.0',
  summary: 'Returns information about server-assisted client-side caching for the connection.',
  arity: 2,
  run({ tracking: own }, _args, reply) {
    const flags = [
      own ? 'on' : 'off',
      own?.broadcast && 'bcast',
      own?.optIn && 'optin',
      own?.optIn && own.cachingGiven && 'caching-yes',
      own?.optOut && 'optout',
      own?.optOut && own.cachingGiven && 'caching-no',
      own?.noLoop && 'noloop',
      own?.redirectBroken && 'broken_redirect',
    ].filter((flag) => typeof flag === 'string')
    const prefixes = [...(own?.prefixes ?? [])].sort()
    reply.map(3)
    reply.bulk('flags')
    reply.set(flags.length)
    for (const flag of flags) reply.bulk(flag)
    reply.bulk('redirect')
    reply.integer(own?.redirect ?? -1)
    reply.bulk('prefixes')
    reply.array(prefixes.length)
    for (const prefix of prefixes) reply.bulk(prefix)
  },
}

export const clientTracking: readonly Command[] = [caching, getredir, tracking, trackinginfo]
