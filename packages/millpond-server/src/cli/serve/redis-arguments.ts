/** Arguments as redis-server takes them: a file, then `--name value…` for each parameter. */
import { quoteWord } from '../../commands/quoted-words.ts'

export interface RedisArguments {
  readonly file: string | undefined
  /** The parameters, as lines of the file. */
  readonly text: string
}

/** A value may begin with `--` if it is the first of its parameter; `--save` without one is none at all. */
export function redisArguments(words: readonly string[]): RedisArguments {
  const [first] = words
  const hasFile = first !== undefined && !first.startsWith('-')
  const rest = hasFile ? words.slice(1) : words
  const lines: string[][] = []
  let wantsValue = false
  rest.forEach((word, at) => {
    if (!word.startsWith('--') || wantsValue) {
      if (lines.length === 0) lines.push([])
      lines.at(-1)!.push(quoteWord(word))
      wantsValue = false
      return
    }
    lines.push([word.slice(2)])
    wantsValue = !/\s\S/.test(word)
    const next = rest[at + 1]
    if (word.toLowerCase() !== '--save' || (next !== undefined && !next.startsWith('--'))) return
    lines.at(-1)!.push('""')
    wantsValue = false
  })
  return { file: hasFile ? first : undefined, text: lines.map((line) => line.join(' ')).join('\n') }
}
