/** What admins do is noted: who, what, when, and what came of it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import { AuditLog } from '../security/audit-log.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import type { Host } from './host.ts'

/** Commands that change the server, its users, or all of a cache at once. */
const AUDITED: ReadonlySet<string> = new Set([
  ...'accesskey create delete flush update'.split(' ').map((name) => `cache|${name}`),
  ...'backup cancel import restore'.split(' ').map((name) => `transfer|${name}`),
  ...'create retire revoke rotate'.split(' ').map((name) => `token|${name}`),
  ...'deluser load save setuser'.split(' ').map((name) => `acl|${name}`),
  ...'resetstat rewrite set'.split(' ').map((name) => `config|${name}`),
  ...'delete flush load restore'.split(' ').map((name) => `function|${name}`),
  ...'client|kill client|pause debug flushall flushdb monitor script|flush shutdown slowlog|reset swapdb'.split(' '),
])

export function isAudited(fullName: string): boolean {
  return AUDITED.has(fullName)
}

/** @param problem what the command threw */
export function audit(
  { caller: client, service, user, waiting }: Client,
  { fullName }: CommandEntry,
  args: Arguments,
  secrets: ReadonlySet<number> | undefined,
  problem: unknown,
): void {
  const log = service.host?.audit
  if (log === undefined) return
  const from = fullName.includes('|') ? 2 : 1
  const words = fullName.startsWith('function|') ? [] : args.texts(from)
  const about = words.map((word, at) => (secrets?.has(from + at) ? '(redacted)' : word))
  const result = problem instanceof ReplyError ? problem.message : problem ? 'failed' : waiting ? 'begun' : 'done'
  const action = fullName.replace('|', ' ')
  log.add(
    { by: user.name, address: client.address, cache: service.cache.name, action, about, result },
    service.time.read(),
  )
}

/** The log of a host: the file that `audit-log` names, `stderr`, or by itself `audit.log` beside what the host keeps. */
export function openAudit(host: Host): AuditLog | undefined {
  const given = host.home.configuration.text('audit-log')
  const path = given === '' ? host.pathOf('audit.log') : given
  if (path === undefined) return undefined
  return new AuditLog(path === 'stderr' ? undefined : path)
}
