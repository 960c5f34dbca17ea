/** The command that makes of a key what it is now: for logs that begin in the middle of a life. */
import { Arguments } from '../../engine/arguments.ts'
import type { Held } from '../../engine/keyspace.ts'
import { flagsNote } from '../../engine/log/log-note.ts'
import { dumpPayload } from '../../engine/rdb/payload.ts'

/** @param held what the key holds; `undefined`: nothing */
export function stateCommand(key: string | Uint8Array, held: Held | undefined): Arguments {
  if (held === undefined) return Arguments.of(['DEL', key])
  const { value, bytes, expiresAtMs, clientFlags = 0 } = held
  const moment = expiresAtMs === Number.POSITIVE_INFINITY ? '0' : String(Math.round(expiresAtMs))
  if (clientFlags === 0)
    return Arguments.of(['RESTORE', key, moment, dumpPayload(value ?? bytes!), 'REPLACE', 'ABSTTL'])
  const command = Arguments.of(['SET', key, bytes!, ...(moment === '0' ? [] : ['PXAT', moment])])
  command.note = flagsNote(clientFlags)
  return command
}
