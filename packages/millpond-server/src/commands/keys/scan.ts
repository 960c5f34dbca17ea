import { Span } from '../../engine/span.ts'
import type { Command } from '../command.ts'
import { cursorOf, replyScan, scanOptionsOf } from '../scans.ts'

/**
 * A step of the table ends with the part of it that it looks at, and that may hold few keys of this database. Several are
 * taken, so that a small database is told in one answer, but not so many that others would have to wait.
 */
const STEPS_MAX = 64

/** Keys in steps. */
export const scan: Command = {
  name: 'scan',
  since: '2.8.0',
  group: 'generic',
  summary: 'Tells the keys of the database in steps, while it may change.',
  complexity: 'O(1) for each step, O(N) for all N keys',
  arity: -2,
  flags: ['readonly'],
  syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type]',
  run(client, args, reply) {
    const { db } = client
    let cursor = cursorOf(args, 1)
    const { count, pattern, type } = scanOptionsOf(args, 2, 'type')
    const found: string[] = []
    let seen = 0
    let steps = 0
    do {
      const step = db.scan(cursor, count - seen)
      for (const bytes of step.keys) {
        const key = new Span(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        const text = key.text()
        if (!client.sees(text) || (pattern !== undefined && !pattern.matches(text))) continue
        if (type === undefined || db.typeOf(key) === type) found.push(text)
      }
      seen += step.keys.length
      cursor = step.cursor
    } while (cursor !== 0 && seen < count && ++steps < STEPS_MAX)
    replyScan(reply, cursor, found)
  },
}
