/** Calls of a command made of its syntax, as the reference has it: `key [NX | XX] <EX seconds | PERSIST> [field value ...]`. */
import type { Random } from '../redis/random.ts'

type Node =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'one'; readonly choices: readonly Node[] }
  | { readonly kind: 'optional'; readonly part: Node; readonly repeats: boolean }

/** What is written for a word in small letters, such as `seconds`, and for `ID`. */
export type Fill = (word: string) => string

/** A number that says how many of these words follow: `numkeys key [key ...]`. */
const COUNTS: Readonly<Record<string, readonly string[]>> = {
  numkeys: ['key'],
  numfields: ['field'],
}
const REPEATS_MAX = 2

/** The arguments of a call. Words in capitals are themselves. */
export function argumentsOf(syntax: string, random: Random, fill: Fill): string[] {
  const tokens = syntax.match(/\[|\]|<|>|\||\.\.\.|"[^"]*"|[^\s[\]<>|]+/g) ?? []
  const words: string[] = []
  choose(new Reader(tokens).read(), random, words)
  return words.map((word, at) => {
    const counted = COUNTS[word]
    if (counted === undefined) return /^[a-z]|^ID$/.test(word) ? fill(word) : word.replace(/^"(.*)"$/, '$1')
    let count = 0
    while (counted.includes(words[at + 1 + count]!)) count++
    return String(count)
  })
}

class Reader {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  /** Until a bracket closes, or the end. */
  read(): Node {
    const choices: Node[][] = [[]]
    for (; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at]!
      if (token === ']' || token === '>') break
      if (token === '|') choices.push([])
      else if (token !== '...') choices.at(-1)!.push(this.#one(token))
    }
    const parts = choices.map((choice): Node => ({ kind: 'all', parts: choice }))
    return parts.length === 1 ? parts[0]! : { kind: 'one', choices: parts }
  }

  #one(token: string): Node {
    if (token !== '[' && token !== '<') return { kind: 'word', word: token }
    this.#at++
    const part = this.read()
    if (token === '<') return part
    return { kind: 'optional', part, repeats: this.#tokens[this.#at - 1] === '...' }
  }
}

function choose(node: Node, random: Random, words: string[]): void {
  if (node.kind === 'word') words.push(node.word)
  else if (node.kind === 'all') for (const part of node.parts) choose(part, random, words)
  else if (node.kind === 'one') choose(random.pick(node.choices), random, words)
  else {
    const times = random.below(2) * (node.repeats ? 1 + random.below(REPEATS_MAX) : 1)
    for (let at = 0; at < times; at++) choose(node.part, random, words)
  }
}
