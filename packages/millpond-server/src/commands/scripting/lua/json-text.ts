/** Reads JSON from a byte string into values on a Lua stack, as lua-cjson 2.1 does. */
import type { LuaMachine } from './machine.ts'
import type { Pointer } from './wasm.ts'

/** What is wrong with a text, and where. */
export class JsonProblem extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const WORDS = ['true', 'false', 'null'] as const
/** Of what follows a number: cjson reads hexadecimal and not-a-number too, where it is allowed to. */
const NUMBER = /-?(?:0x[\da-f]+|inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/iy
const SPACE = /[ \t\r\n]*/y

export class JsonReader {
  readonly #machine: LuaMachine
  readonly #state: Pointer
  readonly #text: string
  readonly #depthMax: number
  readonly #invalidNumbers: boolean
  #at = 0
  #depth = 0

  constructor(machine: LuaMachine, state: Pointer, text: string, depthMax: number, invalidNumbers: boolean) {
    this.#machine = machine
    this.#state = state
    this.#text = text
    this.#depthMax = depthMax
    this.#invalidNumbers = invalidNumbers
  }

  /** Pushes the value that the whole text is. @throws JsonProblem, and what was pushed stays */
  read(): void {
    if (this.#text.charCodeAt(0) === 0 || this.#text.charCodeAt(1) === 0) {
      throw new JsonProblem('JSON parser does not support UTF-16 or UTF-32')
    }
    this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('the end')
  }

  #value(): void {
    const { lua } = this.#machine
    this.#space()
    const character = this.#text[this.#at]
    if (character === '{') this.#object()
    else if (character === '[') this.#array()
    else if (character === '"') this.#machine.pushText(this.#state, this.#string())
    else {
      const word = WORDS.find((candidate) => this.#text.startsWith(candidate, this.#at))
      if (word === undefined) this.#number()
      else {
        this.#at += word.length
        if (word === 'null') lua._lua_pushlightuserdata(this.#state, 0)
        else lua._lua_pushboolean(this.#state, word === 'true' ? 1 : 0)
      }
    }
  }

  #object(): void {
    this.#open()
    this.#machine.lua._lua_createtable(this.#state, 0, 8)
    this.#space()
    if (!this.#take('}')) {
      do {
        this.#space()
        if (this.#text[this.#at] !== '"') this.#fail('object key string')
        this.#machine.pushText(this.#state, this.#string())
        this.#space()
        if (!this.#take(':')) this.#fail('colon')
        this.#value()
        this.#machine.lua._lua_rawset(this.#state, -3)
      } while (!this.#ends('}', 'comma or object end'))
    }
    this.#depth--
  }

  #array(): void {
    this.#open()
    this.#machine.lua._lua_createtable(this.#state, 8, 0)
    this.#space()
    if (!this.#take(']')) {
      let index = 0
      do {
        this.#value()
        this.#machine.lua._lua_rawseti(this.#state, -2, ++index)
      } while (!this.#ends(']', 'comma or array end'))
    }
    this.#depth--
  }

  /** Whether a table ends here; else a comma must follow. */
  #ends(end: string, expected: string): boolean {
    this.#space()
    if (this.#take(end)) return true
    if (!this.#take(',')) this.#fail(expected)
    return false
  }

  #string(): string {
    const start = this.#at + 1
    const parts: string[] = []
    for (let from = start, at = start; ; at++) {
      const character = this.#text[at]
      if (character === undefined || character < ' ') {
        this.#at = at
        this.#fail('value', character === undefined ? 'unexpected end of string' : 'invalid token')
      }
      if (character === '"') {
        this.#at = at + 1
        return parts.join('') + this.#text.slice(from, at)
      }
      if (character !== '\\') continue
      parts.push(this.#text.slice(from, at))
      const [text, length] = this.#escape(at)
      parts.push(text)
      at += length - 1
      from = at + 1
    }
  }

  #escape(at: number): readonly [text: string, length: number] {
    const letter = this.#text[at + 1] ?? ''
    if (letter !== 'u') {
      const text = ESCAPES[letter]
      if (text === undefined) this.#failAt(at, 'invalid escape code')
      return [text, 2]
    }
    const unit = this.#unit(at)
    if (unit < 0xd800 || unit > 0xdfff) return [utf8(unit), 6]
    const low = this.#text.startsWith('\\u', at + 6) ? this.#unit(at + 6) : 0
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) this.#failAt(at, 'invalid unicode escape code')
    return [utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), 12]
  }

  #unit(at: number): number {
    const digits = this.#text.slice(at + 2, at + 6)
    if (!/^[\da-f]{4}$/i.test(digits)) this.#failAt(at, 'invalid unicode escape code')
    return Number.parseInt(digits, 16)
  }

  #number(): void {
    NUMBER.lastIndex = this.#at
    const digits = NUMBER.exec(this.#text)?.[0]
    if (digits === undefined) this.#fail('value')
    const value = toNumber(digits)
    const plain = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(digits)
    if (!plain && !this.#invalidNumbers) this.#fail('value', 'invalid number')
    this.#at += digits.length
    this.#machine.lua._lua_pushnumber(this.#state, value)
  }

  #open(): void {
    this.#at++
    this.#machine.lua._lua_checkstack(this.#state, 4)
    if (++this.#depth > this.#depthMax) {
      throw new JsonProblem(`Found too many nested data structures (${this.#depth}) at character ${this.#at}`)
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #space(): void {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = SPACE.lastIndex
  }

  #fail(expected: string, found?: string): never {
    throw new JsonProblem(`Expected ${expected} but found ${found ?? this.#token()} at character ${this.#at + 1}`)
  }

  #failAt(at: number, what: string): never {
    throw new JsonProblem(`Expected value but found ${what} at character ${at + 1}`)
  }

  /** What stands here, in cjson's words. */
  #token(): string {
    const character = this.#text[this.#at]
    const names: Readonly<Record<string, string>> = {
      '{': 'T_OBJ_BEGIN',
      '}': 'T_OBJ_END',
      '[': 'T_ARR_BEGIN',
      ']': 'T_ARR_END',
      ':': 'T_COLON',
      ',': 'T_COMMA',
      '"': 'T_STRING',
      t: 'T_BOOLEAN',
      f: 'T_BOOLEAN',
      n: 'T_NULL',
    }
    if (character === undefined) return 'T_END'
    return names[character] ?? (/[-\d]/.test(character) ? 'T_NUMBER' : 'invalid token')
  }
}

function toNumber(digits: string): number {
  const size = digits.replace(/^-/, '').toLowerCase()
  const value = size.startsWith('inf') ? Infinity : size === 'nan' ? Number.NaN : Number(size)
  return digits.startsWith('-') ? -value : value
}

function utf8(codePoint: number): string {
  return Buffer.from(String.fromCodePoint(codePoint), 'utf8').toString('latin1')
}
