/** Reads a log from its beginning: commands as they were appended, in whole groups. */
import { readSync } from 'node:fs'
import { Arguments } from '../arguments.ts'
import { crc32 } from './checksum.ts'
import { LogError } from './log-error.ts'
import { hasMark, parseMark } from './log-mark.ts'
import { parseFlagsNote } from './log-note.ts'

const PIECE_BYTES = 4 * 2 ** 20
const WORDS_MAX = 1024 * 1024
const WORD_BYTES_MAX = 512 * 2 ** 20
const STAR = 42
const DOLLAR = 36
const HASH_SIGN = 35
const CR = 13
const LF = 10

/** What was read of a file. */
export interface LogRead {
  readonly commands: number
  /** Where the last whole command, or group of commands, ends. */
  readonly end: number
  /** What is behind that: it was torn off when it was written. `undefined`: nothing is. */
  readonly torn: string | undefined
  /** Bytes of whole commands at the end without the mark that follows each stretch: whoever wrote them was ended before it was told. */
  readonly unmarked: number
}

/** An open file, or what stands in for one. */
export interface LogSource {
  readonly path: string
  readonly file: number
  readonly size: number
  /** Where the commands begin: behind the RDB file that a log may begin with. */
  readonly from: number
  /** Nothing may be torn off at its end, since other files follow. */
  readonly isLast: boolean
}

/**
 * Reads commands and calls `run` with each; they say something during the call. Commands between MULTI and EXEC are kept
 * until EXEC has been read.
 *
 * @throws LogError when the file is damaged before its end
 */
export function readLog(source: LogSource, run: (args: Arguments) => void): LogRead {
  return new LogReader(source, run).read()
}

/** The end has come before what was to be read: more bytes are needed, or there are none. */
const INCOMPLETE = -1

class LogReader {
  readonly #source: LogSource
  readonly #run: (args: Arguments) => void
  readonly #args = new Arguments()
  #bytes: Buffer
  /** Bytes that are there, and where in the file the first of them lies. */
  #length = 0
  #base: number
  #at = 0
  /** Where the stretch began that the next mark will be of, in the file; and where the group that is open did. */
  #stretch: number
  #hasMarks = false
  #group: Arguments[] | undefined
  #groupAt = 0
  /** The note before the next command. */
  #note: string | undefined
  #commands = 0
  /** The number that `#number` has read. */
  #value = 0

  constructor(source: LogSource, run: (args: Arguments) => void) {
    this.#source = source
    this.#run = run
    this.#base = this.#stretch = source.from
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, source.size - source.from + 1))
  }

  read(): LogRead {
    try {
      for (;;) {
        const end = this.#at < this.#length ? this.#next() : INCOMPLETE
        if (end !== INCOMPLETE) this.#at = end
        else if (!this.#more()) return this.#finish()
      }
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      // A file system may leave zeros where a write was torn.
      if (!this.#source.isLast || this.#rest(error.offset).some((byte) => byte !== 0)) {
        throw new LogError(this.#source.path, error.offset, error.message)
      }
      return this.#finish()
    }
  }

  /** Reads one command or remark at `#at`. Returns where it ends. */
  #next(): number {
    const first = this.#bytes[this.#at]
    if (first === HASH_SIGN) return this.#remark()
    if (first !== STAR) throw this.#damaged(this.#at, 'a command was expected')
    const end = this.#command()
    if (end !== INCOMPLETE) this.#take(end)
    return end
  }

  #command(): number {
    const args = this.#args
    args.begin(this.#bytes)
    let at = this.#number(this.#at + 1, WORDS_MAX)
    if (at === INCOMPLETE) return INCOMPLETE
    const count = this.#value
    if (count === 0) throw this.#damaged(this.#at, 'a command has no words')
    for (let left = count; left > 0; left--) {
      if (at >= this.#length) return INCOMPLETE
      if (this.#bytes[at] !== DOLLAR) throw this.#damaged(at, 'a word was expected')
      at = this.#number(at + 1, WORD_BYTES_MAX)
      if (at === INCOMPLETE) return INCOMPLETE
      const end = at + this.#value
      if (end + 2 > this.#length) return INCOMPLETE
      if (this.#bytes[end] !== CR || this.#bytes[end + 1] !== LF) {
        throw this.#damaged(this.#bytes[end] === CR ? end + 1 : end, 'a word does not end where it should')
      }
      args.add(at, end)
      at = end + 2
    }
    return at
  }

  /** Reads digits and the end of the line. */
  #number(from: number, most: number): number {
    let value = 0
    for (let at = from; at < this.#length; at++) {
      const byte = this.#bytes[at]!
      if (byte === CR && at > from) {
        if (at + 1 >= this.#length) return INCOMPLETE
        if (this.#bytes[at + 1] !== LF) throw this.#damaged(at + 1, 'a line does not end where it should')
        this.#value = value
        return at + 2
      }
      value = value * 10 + byte - 48
      if (byte < 48 || byte > 57 || value > most) throw this.#damaged(at, 'a number was expected')
    }
    return INCOMPLETE
  }

  #remark(): number {
    const line = this.#bytes.indexOf(LF, this.#at)
    if (line < 0 || line >= this.#length) return INCOMPLETE
    const text = this.#bytes.toString('latin1', this.#at, line - 1)
    const mark = parseMark(text)
    if (mark === undefined) {
      if (parseFlagsNote(text) !== undefined) this.#note = text
      return line + 1
    }
    const place = this.#base + this.#at
    const length = place - this.#stretch
    // Shorter than what was read since the last mark: before it, something was left without mark when a writer was killed.
    if (mark.length > length || this.#sumOf(place - mark.length, mark.length) !== mark.sum) {
      throw new LogError(this.#source.path, this.#stretch, `bytes up to ${place} are not those that were written`)
    }
    this.#stretch = this.#base + line + 1
    this.#hasMarks = true
    return line + 1
  }

  /** A command is whole. */
  #take(end: number): void {
    const args = this.#args
    args.note = this.#note
    this.#note = undefined
    if (this.#group === undefined) {
      if (args.count === 1 && args.is(0, 'multi')) {
        this.#group = []
        this.#groupAt = this.#base + this.#at
      } else this.#tell(args)
    } else if (args.count === 1 && args.is(0, 'exec')) {
      const group = this.#group
      this.#group = undefined
      for (const command of group) this.#tell(command)
    } else this.#group.push(args.keep())
    this.#at = end
  }

  #tell(args: Arguments): void {
    this.#commands++
    this.#run(args)
  }

  /** Gets more of the file. `false`: there is none. */
  #more(): boolean {
    this.#bytes.copyWithin(0, this.#at, this.#length)
    this.#base += this.#at
    this.#length -= this.#at
    this.#at = 0
    if (this.#length === this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2)
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    const room = this.#bytes.length - this.#length
    const read = readSync(this.#source.file, this.#bytes, this.#length, room, this.#base + this.#length)
    this.#length += read
    return read > 0
  }

  #sumOf(from: number, length: number): number {
    const bytes = Buffer.allocUnsafe(length)
    let read = 0
    while (read < length) read += readSync(this.#source.file, bytes, read, length - read, from + read) || length
    return crc32(bytes)
  }

  /** The end of the file. What is left of a command there was torn off, if nothing says that more was written behind it. */
  #finish(): LogRead {
    const { path, size, isLast } = this.#source
    const end = this.#group === undefined ? this.#base + this.#at : this.#groupAt
    const rest = size - end
    const unmarked = this.#hasMarks ? end - this.#stretch : 0
    if (rest === 0) return { commands: this.#commands, end, torn: undefined, unmarked }
    if (!isLast) throw new LogError(path, end, 'it ends within a command, and other files follow it')
    if (hasMark(this.#rest(end))) throw new LogError(path, end, 'what follows is no command, and was written whole')
    const what = this.#group === undefined ? 'a command' : 'a transaction'
    return { commands: this.#commands, end, torn: `${rest} bytes of ${what} that was not written to its end`, unmarked }
  }

  /** Bytes from a place on, at most so many that a command may have. */
  #rest(from: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.min(this.#source.size - from, PIECE_BYTES * 16))
    const read = readSync(this.#source.file, bytes, 0, bytes.length, from)
    return bytes.subarray(0, read)
  }

  #damaged(at: number, reason: string): Damage {
    return new Damage(this.#base + at, reason)
  }
}

class Damage extends Error {
  readonly offset: number

  constructor(offset: number, reason: string) {
    super(reason)
    this.offset = offset
  }
}
