/** The bytes of an arena and the views through which one thread sees them. */
import { OptionError } from '../core/errors.ts'
import { ArenaClasses } from './arena-classes.ts'
import { ARENA_MAGIC, type ArenaLayout, KIND, layoutOf, PAGE, PAGE_WORDS, TABLE } from './arena-layout.ts'

/** No limit but that of the pages. */
export const UNITS_MAX = 0x7fff_ffff

export class ArenaMemory {
  readonly buffer: ArrayBufferLike
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly doubles: Float64Array
  /** Words at any place, whatever the order of bytes in this machine's. */
  readonly view: DataView
  readonly layout: ArenaLayout
  readonly classes: ArenaClasses
  /** As the layout has it: read with every item. */
  readonly headBytes: number

  private constructor(buffer: ArrayBufferLike, layout: ArenaLayout) {
    this.buffer = buffer
    this.words = new Int32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.view = new DataView(buffer)
    this.layout = layout
    this.headBytes = layout.headBytes
    this.classes = new ArenaClasses(layout.pageBytes)
  }

  /** A new arena. The system lends its memory page by page, when a page is first written. `own`: other threads can not use it. */
  static create(layout: ArenaLayout, own = false): ArenaMemory {
    const memory = new ArenaMemory(allocate(layout.pages * layout.pageBytes, own), layout)
    const { words } = memory
    words[TABLE.PAGES] = layout.pages
    words[TABLE.PAGE_BYTES] = layout.pageBytes
    words[TABLE.STRIPES] = layout.stripes
    words[TABLE.SPACES] = layout.spaces
    words[TABLE.HEAD_BYTES] = layout.headBytes
    words[TABLE.LIMIT_PAGES] = layout.pages
    words[TABLE.LIMIT_UNITS] = UNITS_MAX
    for (let page = 0; page < layout.headerPages; page++) words[memory.pageWord(page) + PAGE.KIND] = KIND.HEADER
    words[TABLE.MAGIC] = ARENA_MAGIC
    return memory
  }

  /** An arena that another thread made. */
  static attach(buffer: SharedArrayBuffer): ArenaMemory {
    const words = buffer instanceof SharedArrayBuffer && buffer.byteLength > 4096 ? new Int32Array(buffer) : undefined
    if (words?.[TABLE.MAGIC] !== ARENA_MAGIC) throw new OptionError('handle', buffer, 'give what `share()` returned')
    const [pages, pageBytes, stripes] = [words[TABLE.PAGES]!, words[TABLE.PAGE_BYTES]!, words[TABLE.STRIPES]!]
    return new ArenaMemory(buffer, layoutOf(pages, pageBytes, stripes, words[TABLE.SPACES]!, words[TABLE.HEAD_BYTES]!))
  }

  /** First word of a stripe. */
  stripeWord(stripe: number): number {
    return this.layout.stripeWords + stripe * this.layout.stripeStride
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

function allocate(bytes: number, own: boolean): ArrayBufferLike {
  try {
    return own ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
  } catch (cause) {
    throw Object.assign(new OptionError('maxWeight', bytes, 'this machine cannot lend so much at once'), { cause })
  }
}
