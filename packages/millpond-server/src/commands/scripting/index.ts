import type { Command } from '../command.ts'
import { evalRo, evalScript, evalsha, evalshaRo, fcall, fcallRo } from './eval.ts'
import { functionContainer } from './function-container.ts'
import { scriptContainer } from './script-container.ts'

export const scriptingCommands: readonly Command[] = [
  evalRo,
  evalScript,
  evalsha,
  evalshaRo,
  fcall,
  fcallRo,
  functionContainer,
  scriptContainer,
]
