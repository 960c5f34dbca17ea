/** Arguments as redis-server takes them: a file, then `--name value…` for each parameter. */
import { quoteWord } from '../../commands/quoted-words.ts'

export interface RedisArguments {
  readonly file: string | undefined
  /** The parameters, as lines of the file. */
  readonly text: string
}

export function redisArguments(words: readonly string[]): RedisArguments {
  const [first] = words
  const hasFile = first !== undefined && !first.startsWith('--')
  const lines: string[] = []
  for (const word of hasFile ? words.slice(1) : words) {
    if (word.startsWith('--')) lines.push(word.slice(2))
    else if (lines.length > 0) lines[lines.length - 1] += ` ${/^[^\s"'\\]+$/.test(word) ? word : quoteWord(word)}`
  }
  return { file: hasFile ? first : undefined, text: lines.join('\n') }
}
