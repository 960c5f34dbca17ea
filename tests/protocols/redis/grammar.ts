/**
 * Random commands from templates: `SET k v [EX t]`. Words in capitals are themselves; small words are made by chance (see
 * `Maker`); `[a b]` may be left out, `(a|b)` is one of them, `{a b}` comes one to four times, `k*` is a word as it stands.
 */
import type { Random } from './random.ts'

type Part =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'made'; readonly name: string }
  | { readonly kind: 'maybe'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly parts: readonly Part[] }
  | { readonly kind: 'one of'; readonly choices: readonly (readonly Part[])[] }

/** Makes a word of a kind: a key, a number, a score. */
export type Maker = (name: string) => string

export class Template {
  readonly text: string
  readonly #parts: readonly Part[]

  constructor(text: string) {
    this.text = text
    const tokens = text.match(/[[\](){}|]|[^\s[\](){}|]+/g) ?? []
    const [choices, end] = alternatives(tokens, 0, undefined)
    if (end !== tokens.length || choices.length !== 1) throw new Error(`no template: ${text}`)
    this.#parts = choices[0]!
  }

  make(random: Random, maker: Maker): string[] {
    const words: string[] = []
    const add = (parts: readonly Part[]): void => {
      for (const part of parts) {
        if (part.kind === 'word') words.push(part.text)
        else if (part.kind === 'made') words.push(maker(part.name))
        else if (part.kind === 'maybe') {
          if (random.chance(0.35)) add(part.parts)
        } else if (part.kind === 'one of') add(random.pick(part.choices))
        else for (let left = 1 + random.below(4); left > 0; left--) add(part.parts)
      }
    }
    add(this.#parts)
    return words
  }
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' }

function alternatives(tokens: readonly string[], from: number, closing: string | undefined): [Part[][], number] {
  const choices: Part[][] = [[]]
  let at = from
  while (at < tokens.length && tokens[at] !== closing) {
    const token = tokens[at]!
    const close = CLOSING[token]
    if (token === '|') {
      choices.push([])
      at++
    } else if (close === undefined) {
      choices.at(-1)!.push(/^[a-z]+$/.test(token) ? { kind: 'made', name: token } : { kind: 'word', text: token })
      at++
    } else {
      const [inner, end] = alternatives(tokens, at + 1, close)
      if (tokens[end] !== close) throw new Error(`'${token}' is not closed`)
      choices.at(-1)!.push(partOf(token, inner))
      at = end + 1
    }
  }
  return [choices, at]
}

function partOf(opening: string, choices: Part[][]): Part {
  const parts: Part[] = choices.length === 1 ? choices[0]! : [{ kind: 'one of', choices }]
  if (opening === '[') return { kind: 'maybe', parts }
  return opening === '{' ? { kind: 'repeat', parts } : { kind: 'one of', choices }
}
