import { resolve, sep } from 'node:path'
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { answerLater } from '../answer-later.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import type { Host } from '../host.ts'
import { administered } from '../tokens/admin.ts'
import type { Transfer, TransferKind, TransferResult, Transfers } from './transfers.ts'

const common = {
  since: '0.1.0',
  group: 'server',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_multi', 'stale'],
} as const

/** @throws ReplyError NOPERM, or that this server moves nothing */
function transfersOf(client: Client): { host: Host; transfers: Transfers } {
  const host = administered(client)
  if (host.transfers === undefined) throw new ReplyError('this server makes no backups')
  return { host, transfers: host.transfers }
}

function beginning(name: TransferKind, summary: string, syntax: string): Command {
  return {
    ...common,
    name,
    summary: `${summary} Returns its number: STATUS tells how far it is.`,
    arity: -4,
    syntax,
    run(client, args, reply) {
      const { host, transfers } = transfersOf(client)
      const place = wordOf(args, 3)
      hideLogin(client, place)
      const replace = args.count === 5 && args.is(4, 'replace')
      if (args.count > 4 && !replace) throw syntaxError()
      if (name !== 'import') checkPlace(host, place)
      reply.integer(transfers.begin(name, host.service(args.text(2)), place, replace).id)
    },
  }
}

/** The address of a source has a password in it, and somebody may write the keys of a bucket into its URL, which is refused. */
function hideLogin(client: Client, place: string): void {
  if (place.includes('@')) client.hide(3)
}

/**
 * Where nobody is asked who he is, whoever reaches the port is an admin. He may not choose where on the machine files are written
 * and read, only below the server's own folder.
 *
 * @throws ReplyError DENIED
 */
function checkPlace({ home }: Host, place: string): void {
  if (home.accessControl.mustAuthenticate || place.startsWith('s3://')) return
  const folder = resolve(home.configuration.text('dir'))
  const path = resolve(folder, place)
  if (path === resolve(place) && (path === folder || path.startsWith(`${folder}${sep}`))) return
  const advice = `it reads and writes files below ${folder} alone: name a place there, or serve with --tokens`
  throw new ReplyError(`this server asks nobody who he is, so ${advice}`, 'DENIED')
}

/** Texts are byte strings; paths are UTF-8. */
function wordOf(args: Arguments, at: number): string {
  return args.span(at).copy().toString()
}

const status: Command = {
  ...common,
  name: 'status',
  summary: 'Returns how far a transfer is, and what came of it.',
  arity: 3,
  syntax: 'number',
  run(client, args, reply) {
    writeTransfer(reply, transfersOf(client).transfers.named(args.integer(2)))
  },
}

function writeTransfer(reply: Reply, { id, kind, cache, state, progress, result, error }: Transfer): void {
  const parts = { id, kind, cache, state, done: progress.done, total: progress.total ?? -1, bytes: progress.bytes }
  reply.map(Object.keys(parts).length + 2)
  writeFields(reply, parts)
  reply.bulk('error')
  if (error === undefined) reply.nil()
  else reply.bulk(Buffer.from(error).toString('latin1'))
  reply.bulk('result')
  if (result === undefined) reply.nil()
  else writeMap(reply, result)
}

function writeMap(reply: Reply, fields: TransferResult): void {
  reply.map(Object.keys(fields).length)
  writeFields(reply, fields)
}

function writeFields(reply: Reply, fields: TransferResult): void {
  for (const [name, value] of Object.entries(fields)) {
    reply.bulk(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.bulk(Buffer.from(value).toString('latin1'))
  }
}

const cancel: Command = {
  ...common,
  name: 'cancel',
  summary: 'Ends a transfer. Returns 1, or 0 where it had ended already. What it has brought until then stays.',
  arity: 3,
  syntax: 'number',
  run(client, args, reply) {
    reply.integer(transfersOf(client).transfers.cancel(args.integer(2)) ? 1 : 0)
  },
}

const backups: Command = {
  ...common,
  name: 'backups',
  summary: 'Returns the backups of a cache in a place, the oldest first.',
  complexity: 'O(N) for N backups',
  arity: 4,
  syntax: 'cache location',
  run(client, args) {
    const { host, transfers } = transfersOf(client)
    const place = wordOf(args, 3)
    hideLogin(client, place)
    checkPlace(host, place)
    answerLater(client, transfers.movers.list(args.text(2), place), (reply, records) => {
      reply.array(records.length)
      for (const record of records) writeMap(reply, record)
    })
  },
}

/** Backups, restores and imports. */
export const transferCommands: readonly Command[] = [
  {
    name: 'transfer',
    since: '0.1.0',
    group: 'server',
    summary: 'A container for backups, restores and imports of whole caches, while they are used.',
    complexity: 'Depends on subcommand.',
    arity: -2,
    flags: [],
    subcommands: withHelp('transfer', '0.1.0', [
      beginning('backup', 'Backs a cache up, to a folder or to S3.', 'cache location'),
      backups,
      cancel,
      beginning('import', 'Brings what a running Redis or memcached holds.', 'cache url [REPLACE]'),
      beginning('restore', 'Brings back a backup, or any RDB file.', 'cache location [REPLACE]'),
      status,
    ]),
    run() {},
  },
]
