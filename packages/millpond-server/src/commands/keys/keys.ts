import { Glob } from '../../engine/glob.ts'
import type { Command } from '../command.ts'

const STEP = 1024

/** All keys that match a pattern. */
export const keys: Command = {
  name: 'keys',
  since: '1.0.0',
  group: 'generic',
  summary: 'Returns all keys that match a pattern. The server does nothing else meanwhile: SCAN is better.',
  complexity: 'O(N) for N keys of the database',
  arity: 2,
  flags: ['readonly'],
  categories: ['dangerous'],
  syntax: 'pattern',
  run(client, args, reply) {
    const { db } = client
    const { seesAllKeys } = client.user
    const text = args.text(1)
    const pattern = text === '*' ? undefined : new Glob(text)
    const found: Uint8Array[] = []
    let cursor = 0
    do {
      const step = db.scan(cursor, STEP)
      for (const key of step.keys) {
        if ((pattern?.matches(textOf(key)) ?? true) && (seesAllKeys || client.sees(textOf(key)))) found.push(key)
      }
      cursor = step.cursor
    } while (cursor !== 0)
    reply.array(found.length)
    for (const key of found) reply.bytes(key, 0, key.length)
  },
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
