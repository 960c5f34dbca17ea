/** The words of a command, laid out as the executor wants them. */
import { Arguments } from '../../engine/arguments.ts'

const SHARED_BYTES = 16 * 1024

/** Memory that all requests use in turn: a command is over, or has kept its words, when it returns. */
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)
const args = new Arguments()

/** Good until it is called again. Texts are byte strings. */
export function argumentsOf(words: readonly (string | Uint8Array)[]): Arguments {
  let length = 0
  for (const word of words) length += word.length
  if (length > SHARED_BYTES) return Arguments.of(words)
  args.begin(shared)
  let at = 0
  for (const word of words) {
    if (typeof word === 'string') shared.write(word, at, 'latin1')
    else shared.set(word, at)
    args.add(at, (at += word.length))
  }
  return args
}
