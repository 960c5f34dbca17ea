/** Patterns of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL: `h?llo`, `h*llo`, `h[ae]llo`, `h[^e]llo`, `h[a-c]llo`, `\*`. */

const STAR = -1
const ANY = -2
/** Codes from here down are classes: the first is this, the second one less. */
const CLASS = -3

/**
 * A pattern that is asked of many byte strings.
 *
 * Implementation note. A `*` that has matched too little takes one character more, and only the last one ever has to: what an
 * earlier one could still take, the last one can as well. So a match costs at most length times length, where trying all
 * stars takes exponential time.
 */
export class Glob {
  readonly #codes: Int32Array
  readonly #classes: readonly Uint8Array[]
  /** Set where the pattern is a plain text: then that is compared. */
  readonly #plain: string | undefined
  readonly #ignoreCase: boolean

  constructor(pattern: string, ignoreCase = false) {
    const text = ignoreCase ? pattern.toLowerCase() : pattern
    const { codes, classes } = new PatternReader(text).read()
    this.#codes = Int32Array.from(codes)
    this.#classes = classes
    this.#ignoreCase = ignoreCase
    this.#plain = /[*?[\\]/.test(pattern) ? undefined : text
  }

  /** Whether the whole of a byte string matches. */
  matches(given: string): boolean {
    const text = this.#ignoreCase ? given.toLowerCase() : given
    if (this.#plain !== undefined) return text === this.#plain
    // Redis looks at no pattern where the text is empty, so '*' does not match it.
    if (text.length === 0) return this.#codes.length === 0
    const codes = this.#codes
    let at = 0
    let place = 0
    let star = -1
    let taken = 0
    while (at < text.length) {
      const code = place < codes.length ? codes[place]! : undefined
      if (code === STAR) {
        star = place++
        taken = at
      } else if (code !== undefined && this.#fits(code, text.charCodeAt(at))) {
        place++
        at++
      } else if (star >= 0) {
        place = star + 1
        at = ++taken
      } else return false
    }
    while (place < codes.length && codes[place] === STAR) place++
    return place === codes.length
  }

  #fits(code: number, character: number): boolean {
    if (code >= 0) return code === character
    return code === ANY || this.#classes[CLASS - code]![character] === 1
  }
}

/** Reads a pattern: a code for each thing that matches one character, and for each star. */
class PatternReader {
  readonly #text: string
  readonly #codes: number[] = []
  readonly #classes: Uint8Array[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): { readonly codes: readonly number[]; readonly classes: readonly Uint8Array[] } {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++]
      if (character === '*') this.#star()
      else if (character === '?') this.#codes.push(ANY)
      else if (character === '[') this.#class()
      else {
        if (character === '\\' && this.#at < this.#text.length) this.#at++
        this.#codes.push(this.#text.charCodeAt(this.#at - 1))
      }
    }
    return { codes: this.#codes, classes: this.#classes }
  }

  #star(): void {
    if (this.#codes.at(-1) !== STAR) this.#codes.push(STAR)
  }

  /** A class ends at `]`, or with the pattern. */
  #class(): void {
    const text = this.#text
    const not = text[this.#at] === '^'
    if (not) this.#at++
    const members = new Uint8Array(256)
    for (; this.#at < text.length && text[this.#at] !== ']'; this.#at++) {
      const rest = text.length - this.#at
      if (text[this.#at] === '\\' && rest >= 2) members[text.charCodeAt(++this.#at)] = 1
      else if (text[this.#at + 1] === '-' && rest >= 3) this.#range(members)
      else members[text.charCodeAt(this.#at)] = 1
    }
    this.#at++
    this.#codes.push(CLASS - this.#classes.length)
    this.#classes.push(not ? members.map((member) => 1 - member) : members)
  }

  #range(members: Uint8Array): void {
    const from = this.#text.charCodeAt(this.#at)
    const to = this.#text.charCodeAt(this.#at + 2)
    members.fill(1, Math.min(from, to), Math.max(from, to) + 1)
    this.#at += 2
  }
}
