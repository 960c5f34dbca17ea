/**
 * The keys under which things are stored: an entry under its own key, a tag's version under `#` and the tag, a lease
 * under `@` and the key. No two of them meet: an entry's key that itself begins with one of these is written escaped.
 *
 * So is what a client would lose: JavaScript has texts that are no Unicode (half of a surrogate pair alone), and every
 * client sends U+FFFD for each of them. They are written as U+FFFD and four digits, and so is U+FFFD itself.
 */
export class Names {
  readonly #prefix: string

  /** @param prefix stands before every key, for a server that others use too */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  entry(key: string): string {
    return this.#prefix + key.replace(LOST_OR_RESERVED, escaped)
  }

  version(tag: string): string {
    return `${this.#prefix}#${tag.replace(LOST, escaped)}`
  }

  lease(key: string): string {
    return `${this.#prefix}@${key.replace(LOST, escaped)}`
  }

  /** Whose entry or version is under a key of the server: the key or tag as the store was given it. */
  told(name: string): string | undefined {
    if (!name.startsWith(this.#prefix)) return undefined
    const own = name.slice(this.#prefix.length)
    if (own[0] === '@') return undefined
    return (own[0] === '#' ? own.slice(1) : own).replace(ESCAPED, unescaped)
  }
}

/** Surrogates that stand alone, and the sign that clients put in their place. */
const LOST = /[\p{Surrogate}\uFFFD]/gu
const LOST_OR_RESERVED = /[\p{Surrogate}\uFFFD]|^[#@]/gu

function escaped(char: string): string {
  return `\uFFFD${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const ESCAPED = /\uFFFD([\da-f]{4})/g

function unescaped(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16))
}
