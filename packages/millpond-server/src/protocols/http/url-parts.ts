/** The parts of a request's target as byte strings. */

/** A part of a path: `%41` is one byte, whatever the bytes say together. What is no escape stays as it is. */
export function decodePart(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A word of a query, where `+` is a space. */
function decodeWord(text: string): string {
  return decodePart(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

/** `name=value` of a query, in their order. A name without '=' has no value. */
export type Parameter = readonly [name: string, value: string | undefined]

export class Target {
  /** As it was given, from the first '/' to before '?'. */
  readonly path: string
  readonly #query: string
  #parameters: readonly Parameter[] | undefined

  constructor(url: string) {
    const mark = url.indexOf('?')
    this.path = mark < 0 ? url : url.slice(0, mark)
    this.#query = mark < 0 ? '' : url.slice(mark + 1)
  }

  /** What stands between the slashes, decoded; of '/' nothing. */
  get segments(): readonly string[] {
    return this.path === '/' ? [] : this.path.slice(1).split('/').map(decodePart)
  }

  get parameters(): readonly Parameter[] {
    this.#parameters ??= parametersOf(this.#query)
    return this.#parameters
  }

  /** Whether some parameter may be of a name that has this in it: asked before all are read. */
  mentions(text: string): boolean {
    return this.#query.includes(text)
  }

  /** The value of a parameter that is there; given several times, of the first. */
  parameter(name: string): string | undefined {
    const query = this.#query
    if (query.startsWith(name) && query[name.length] === '=' && !query.includes('&')) {
      return decodeWord(query.slice(name.length + 1))
    }
    for (const [one, value = ''] of this.parameters) if (one === name) return value
    return undefined
  }
}

function parametersOf(query: string): readonly Parameter[] {
  if (query === '') return []
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part): Parameter => {
      const sign = part.indexOf('=')
      return sign < 0
        ? [decodeWord(part), undefined]
        : [decodeWord(part.slice(0, sign)), decodeWord(part.slice(sign + 1))]
    })
}
