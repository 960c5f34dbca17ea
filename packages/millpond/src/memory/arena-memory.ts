/** The bytes of an arena and the views through which one thread sees them. */
import { OptionError } from '../core/errors.ts'
import { ArenaClasses } from './arena-classes.ts'
import { ARENA_MAGIC, type ArenaLayout, KIND, layoutOf, PAGE, PAGE_WORDS, TABLE } from './arena-layout.ts'

export class ArenaMemory {
  readonly buffer: SharedArrayBuffer
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly doubles: Float64Array
  readonly layout: ArenaLayout
  readonly classes: ArenaClasses

  private constructor(buffer: SharedArrayBuffer, layout: ArenaLayout) {
    this.buffer = buffer
    this.words = new Int32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.layout = layout
    this.classes = new ArenaClasses(layout.pageBytes)
  }

  /** A new arena. The system lends its memory page by page, when a page is first written. */
  static create(layout: ArenaLayout): ArenaMemory {
    const memory = new ArenaMemory(allocate(layout.pages * layout.pageBytes), layout)
    const { words } = memory
    words[TABLE.PAGES] = layout.pages
    words[TABLE.PAGE_BYTES] = layout.pageBytes
    words[TABLE.STRIPES] = layout.stripes
    for (let page = 0; page < layout.headerPages; page++) words[memory.pageWord(page) + PAGE.KIND] = KIND.HEADER
    words[TABLE.MAGIC] = ARENA_MAGIC
    return memory
  }

  /** An arena that another thread made. */
  static attach(buffer: SharedArrayBuffer): ArenaMemory {
    const words = buffer instanceof SharedArrayBuffer && buffer.byteLength > 4096 ? new Int32Array(buffer) : undefined
    if (words?.[TABLE.MAGIC] !== ARENA_MAGIC) throw new OptionError('handle', buffer, 'give what `share()` returned')
    return new ArenaMemory(buffer, layoutOf(words[TABLE.PAGES]!, words[TABLE.PAGE_BYTES]!, words[TABLE.STRIPES]!))
  }

  /** First word of a stripe. */
  stripeWord(stripe: number): number {
    return this.layout.stripeWords + (stripe << 5)
  }

  /** First word of what is kept about a page. */
  pageWord(page: number): number {
    return this.layout.pageWords + page * PAGE_WORDS
  }

  /** First word of what is kept about the page of a chunk. */
  pageWordOf(ref: number): number {
    return this.layout.pageWords + (ref >>> this.layout.pageRefShift) * PAGE_WORDS
  }

  /** Bytes of a chunk that holds an item or part of one. */
  chunkBytes(ref: number): number {
    return this.classes.sizes[this.words[this.pageWordOf(ref) + PAGE.KIND]! - KIND.CHUNKS]!
  }

  /** First byte and word of a page. */
  pageByte(page: number): number {
    return page * this.layout.pageBytes
  }
}

function allocate(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes)
  } catch (cause) {
    throw Object.assign(new OptionError('maxWeight', bytes, 'this machine cannot lend so much at once'), { cause })
  }
}
