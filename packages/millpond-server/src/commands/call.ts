/** Runs one command that was found and allowed, and everything that follows from it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { Reply } from '../engine/reply.ts'
import { audit } from './audit.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { CLIENT_MODE, SERVICE_MODE } from './modes.ts'
import type { Service } from './service.ts'

/** With more words than this a fast command is timed alone, as a slow one. */
const WORDS_OF_SHORT = 8

/** Runs a command: also one of a transaction, of a script, or one that has waited. Errors are answers. */
export function call(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): void {
  const { sharing } = client.service
  if (sharing === undefined) {
    callAlone(client, entry, args, reply)
    return
  }
  sharing.enter(client, entry, args)
  try {
    callAlone(client, entry, args, reply)
  } finally {
    sharing.leave()
  }
}

function callAlone(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): void {
  const { service } = client
  if ((service.modes & SERVICE_MODE.MONITORED) !== 0 && !entry.has('admin')) {
    callMonitored(client, entry, args, reply)
    return
  }
  run(client, entry, args, reply)
}

/** A script is told before what it calls; everything else when it is done, and it is known what must not be shown. */
function callMonitored(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): void {
  const { monitors } = client.service
  const isScript = entry.has('skip_monitor')
  if (isScript) monitors.tell(client, args)
  const secrets = run(client, entry, args, reply)
  if (!isScript) monitors.tell(client, args, secrets)
}

/** Returns the places of words that nobody may see. */
function run(client: Client, entry: CommandEntry, args: Arguments, reply: Reply): ReadonlySet<number> | undefined {
  const { service } = client
  if (!entry.isShort || service.depth > 0 || args.count > WORDS_OF_SHORT || service.settings.timesEach) {
    return callTimed(client, entry, args, reply)
  }
  const { changes } = service
  const { count } = changes
  service.statistics.begin(entry.id)
  service.current = client
  service.depth = 1
  try {
    entry.command.run(client, args, reply)
  } catch (error) {
    fail(client, entry, reply, error)
  }
  service.depth = 0
  service.current = undefined
  if (changes.count !== count || client.modes !== 0 || client.logged !== undefined) {
    follow(client, client.db, entry, args, changes.count !== count)
  }
  return client.secrets === undefined ? undefined : takeSecrets(client)
}

function takeSecrets(client: Client): ReadonlySet<number> | undefined {
  const { secrets } = client
  client.secrets = undefined
  return secrets
}

/** The long way: its time is taken, it may run others inside, it may wait. */
function callTimed(
  client: Client,
  entry: CommandEntry,
  args: Arguments,
  reply: Reply,
): ReadonlySet<number> | undefined {
  const { service } = client
  const { changes, statistics, current, running } = service
  const { count } = changes
  const { db } = client
  statistics.end()
  service.current = client
  service.running = { entry, args, reply }
  service.depth++
  const beganMs = performance.now()
  let problem: unknown
  try {
    entry.command.run(client, args, reply)
  } catch (error) {
    problem = error
    fail(client, entry, reply, error)
  }
  const tookMs = performance.now() - beganMs
  service.depth--
  service.current = current
  service.running = running
  if (!waitsOn(client)) statistics.record(entry.id, tookMs)
  service.tookTime(client, entry, args, tookMs)
  const secrets = takeSecrets(client)
  if (entry.isAudited) audit(client, entry, args, secrets, problem)
  if (changes.count !== count || client.logged !== undefined || client.modes !== 0 || service.depth === 0) {
    follow(client, db, entry, args, changes.count !== count)
  }
  return secrets
}

/** Whether its command waits, for the first time or again: it counts as called once, at its end. */
function waitsOn({ waiting }: Client): boolean {
  return waiting !== undefined && (!waiting.retrying || waiting.again)
}

/** What is done when a command is over: the log and those who track are told, and those served who wait. */
export function follow(client: Client, db: Keyspace, entry: CommandEntry, args: Arguments, changed: boolean): void {
  const { service } = client
  if (client.logged !== undefined || (changed && entry.writes)) service.logs.done(client, db, args)
  if ((client.modes & CLIENT_MODE.TRACKING) !== 0) track(client, entry, args)
  if (service.depth === 0) settle(service)
}

/** Remembers what was read; what CLIENT CACHING said is for one command, or one transaction. */
function track(client: Client, entry: CommandEntry, args: Arguments): void {
  const { service, caller } = client
  const { tracking, transaction } = caller
  if (tracking === undefined) return
  // A script that reads has read the keys that it was called with.
  if (caller !== client) tracking.scriptHasRead ||= entry.reads
  else if ((entry.reads && !entry.has('skip_monitor')) || tracking.scriptHasRead) {
    tracking.scriptHasRead = false
    service.tracking.remember(caller, entry, args)
  }
  if (transaction === undefined && service.depth === 0 && entry.fullName !== 'client|caching') {
    tracking.cachingGiven = false
  }
}

/** What is done when no command runs any more: the log is told, and those are served that waited for what has changed. */
export function settle(service: Service): void {
  service.logs.flush()
  if (service.waiters.due) service.waiters.serve()
}

/** Answers what a command threw. */
export function fail(client: Client, { id }: CommandEntry, reply: Reply, error: unknown): void {
  const { statistics } = client.service
  statistics.failed[id]!++
  answerError(client, reply, error)
}

/** Answers an error, and counts it. What is no answer is a fault of ours: it is reported, and the client let go. */
export function answerError(client: Client, reply: Reply, error: unknown): void {
  const { service } = client
  const isReply = error instanceof ReplyError
  const text = isReply
    ? `${error.code} ${error.message}`
    : 'ERR internal error, which the server has written to its log'
  service.statistics.error(text)
  reply.error(text)
  if (isReply) return
  service.onFault(error)
  client.close('after the answer')
}
