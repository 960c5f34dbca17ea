/** The flags of a meta command: one letter each, some with a token behind it. */
import { decodeBase64 } from './base64.ts'
import { expiryOf } from './expiry.ts'
import { readInt32, readUint32, readUint64 } from './numbers.ts'
import { BAD_FORMAT } from './text-command.ts'
import type { Words } from './words.ts'

const BAD_TOKEN = 'CLIENT_ERROR bad token in command line format'
/** With its letter. */
const OPAQUE_BYTES_MAX = 32
const LETTERS_END = 127
const KEY_WORD = 1

/** Filled for each command. */
export class MetaFlags {
  /** Of the key in base64. */
  readonly keyBytes: Buffer = Buffer.alloc(256)
  keyLength = 0
  keyIsBinary = false
  /** Moments; negative: not given. */
  expiresAtMs = -1
  vivifyAtMs = -1
  recacheAtMs = -1
  /** The life that the flags leave to the item, the last of T and N being right: noted while they are answered. */
  lifeEndsAtMs = 0
  quiet = false
  wantsValue = false
  wantsCas = false
  wantsLastUse = false
  noUpdate = false
  invalidates = false
  clientFlags = 0
  /** The number that the item must have; `hasCas`: one was given. */
  cas = 0
  hasCas = false
  mode = ''
  delta = 1n
  initial = 0n
  #error: string | undefined
  readonly #seen = new Uint8Array(LETTERS_END)

  /** Reads the words from `first` on. Returns what is wrong, if anything is. */
  read(words: Words, first: number, nowMs: number): string | undefined {
    this.#begin()
    for (let at = first; at < words.count; at++) {
      const letter = words.first(at)
      if (letter >= LETTERS_END || this.#seen[letter] !== 0) return 'CLIENT_ERROR duplicate flag'
      this.#seen[letter] = 1
      if (!this.#take(String.fromCharCode(letter), words, at, nowMs)) return 'CLIENT_ERROR invalid flag'
    }
    return this.#error
  }

  /** Whether one of the opaque tokens is too long to be sent back. */
  static hasLongOpaque(words: Words, first: number): boolean {
    for (let at = first; at < words.count; at++) {
      if (words.first(at) === OPAQUE && words.length(at) > OPAQUE_BYTES_MAX) return true
    }
    return false
  }

  #begin(): void {
    this.#seen.fill(0)
    this.#error = undefined
    this.keyIsBinary = this.quiet = this.wantsValue = this.wantsCas = this.wantsLastUse = false
    this.noUpdate = this.invalidates = this.hasCas = false
    this.expiresAtMs = this.vivifyAtMs = this.recacheAtMs = -1
    this.clientFlags = this.cas = 0
    this.mode = ''
    this.delta = 1n
    this.initial = 0n
  }

  /** Takes one flag. `false`: there is no such flag. What is wrong with its token is noted. */
  #take(letter: string, words: Words, at: number, nowMs: number): boolean {
    const { bytes } = words
    const start = words.start(at) + 1
    const end = words.end(at)
    switch (letter) {
      case 'b':
        this.#decodeKey(words)
        break
      case 'N':
        this.vivifyAtMs = this.#moment(bytes, start, end, nowMs)
        break
      case 'T':
        this.expiresAtMs = this.#moment(bytes, start, end, nowMs)
        break
      case 'R':
        this.recacheAtMs = this.#moment(bytes, start, end, nowMs)
        break
      case 'l':
        this.wantsLastUse = true
        break
      case 'v':
        this.wantsValue = true
        break
      case 'c':
        this.wantsCas = true
        break
      case 'u':
        this.noUpdate = true
        break
      case 'q':
        this.quiet = true
        break
      case 'I':
        this.invalidates = true
        break
      case 'F':
        this.clientFlags = readUint32(bytes, start, end)
        if (Number.isNaN(this.clientFlags)) this.#error ??= BAD_FORMAT
        break
      case 'C':
        this.#readCas(readUint64(bytes, start, end))
        break
      case 'M':
        if (end - start === 1) this.mode = String.fromCharCode(bytes[start]!)
        else this.#error = 'CLIENT_ERROR incorrect length for M token'
        break
      case 'J':
        this.initial = this.#amount(readUint64(bytes, start, end), 'initial')
        break
      case 'D':
        this.delta = this.#amount(readUint64(bytes, start, end), 'delta')
        break
      default:
        return ANSWERED.includes(letter)
    }
    return true
  }

  #decodeKey(words: Words): void {
    this.keyLength = decodeBase64(words.bytes, words.start(KEY_WORD), words.end(KEY_WORD), this.keyBytes)
    this.keyIsBinary = true
    if (this.keyLength === 0) this.#error = 'CLIENT_ERROR error decoding key'
  }

  #moment(bytes: Buffer, start: number, end: number, nowMs: number): number {
    const seconds = readInt32(bytes, start, end)
    if (Number.isNaN(seconds)) this.#error = BAD_TOKEN
    return expiryOf(seconds, nowMs)
  }

  #readCas(cas: bigint | undefined): void {
    if (cas === undefined) this.#error = BAD_TOKEN
    else {
      this.cas = Number(cas)
      this.hasCas = true
    }
  }

  #amount(value: bigint | undefined, name: string): bigint {
    if (value === undefined) this.#error = `CLIENT_ERROR invalid numeric ${name} value`
    return value ?? 0n
  }
}

const OPAQUE = 79
/** Flags that only say what is sent back, or that are for proxies. */
const ANSWERED = 'OPLksftch'
