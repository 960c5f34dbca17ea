import type { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { put, textUnder } from './put.ts'
import { endOf, newMark } from './record.ts'

/** The versions of tags. A tag without one gets one here, so that all who ask first are told the same. */
export const fillVersion: Command = {
  name: 'version',
  since: '0.1.0',
  group: 'string',
  summary: 'Returns the version of each tag; makes those that are missing, and lets the others live on.',
  complexity: 'O(N) for N tags',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 3, last: -1, access: 'RW', touches: ['access', 'update'] }],
  syntax: 'milliseconds tag [tag ...]',
  run(client, args, reply) {
    const expiresAtMs = endOf(client.service.time.nowMs, args.integer(2))
    const tags = args.spans(3, args.count)
    const present = tags.map((tag) => textUnder(client, tag))
    reply.array(tags.length)
    for (const [at, tag] of tags.entries()) {
      // One that is named twice has been made by now.
      const version = present[at] ?? textUnder(client, tag)
      reply.bulk(version === undefined ? make(client, tag, expiresAtMs) : version)
      if (version !== undefined) prolong(client, tag, version, expiresAtMs)
    }
  },
}

function make(client: Client, tag: Span, expiresAtMs: number): string {
  const version = newMark()
  put(client, tag, Buffer.from(version, 'latin1'), expiresAtMs)
  return version
}

/** Versions that are in use must not end. A held one keeps its end: its writer may have died. */
function prolong(client: Client, tag: Span, version: string, expiresAtMs: number): void {
  const { db } = client
  if (version.startsWith('!') || db.expiresAtMs(tag) >= expiresAtMs) return
  db.setExpiry(tag, expiresAtMs)
  db.changed(tag, 'expire', 'g')
  client.logAs('PEXPIREAT', tag.copy(), String(expiresAtMs))
}
