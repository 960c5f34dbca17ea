/** What other clients are told while a script runs too long. */
import { ReplyError } from '../../engine/errors.ts'
import type { ScriptRun } from './script-run.ts'

export function busy({ call }: ScriptRun): ReplyError {
  const kill = call.kind === 'script' ? 'SCRIPT KILL' : 'FUNCTION KILL'
  return new ReplyError(`Redis is busy running a script. You can only call ${kill} or SHUTDOWN NOSAVE.`, 'BUSY')
}
