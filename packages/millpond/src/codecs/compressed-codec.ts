import { Buffer } from 'node:buffer'
import { brotliCompressSync, brotliDecompressSync, constants, deflateSync, inflateSync } from 'node:zlib'
import { type Codec, jsonCodec } from '../core/codec.ts'
import { OptionError, ValueError } from '../core/errors.ts'
import { type Size, sizeBytes } from '../core/size.ts'

/** Options of `compressedCodec`. */
export interface CompressedCodecOptions {
  /** Makes the text that is compressed. Default `jsonCodec`. */
  codec?: Codec
  /** Texts of fewer bytes stay as they are. Up: less time, larger values. Down: the reverse. Default `'1kb'`. */
  threshold?: Size
  /**
   * What compresses. `'brotli'` (quality 4) is about as small, and is read in about half the time where values are large;
   * `'deflate'` is what more programs read. Every codec reads both. Default `'deflate'`.
   */
  algorithm?: 'deflate' | 'brotli'
  /**
   * Text of more bytes is not compressed, and a value that would become more is refused when it is read, before it fills
   * the memory (a decompression bomb). Default `'64mb'`.
   */
  maxSize?: Size
}

/**
 * A codec whose longer texts are compressed, where that makes them smaller: `!z1`, a letter for the algorithm, and the
 * bytes in base64. Anything else is text of the inner codec, so what was stored before compression was turned on is
 * read as before. Older releases and plain codecs refuse the mark, and a later format is refused here: a miss each.
 *
 * @throws OptionError (`ERR_OPTION`)
 */
export function compressedCodec(options: CompressedCodecOptions = {}): Codec {
  return new CompressedCodec(options)
}

/** A text as it is, or bytes: the letter of an algorithm, and what it made. */
export type Packed = string | Buffer

/**
 * What `compressedCodec` makes. It works in one call, on the thread that asks: a value of a few kilobytes takes less time
 * than a way to the thread pool and back, and the port of codecs is synchronous. An encrypting codec around it takes the
 * bytes, so that they become base64 once.
 */
export class CompressedCodec implements Codec {
  readonly #codec: Codec
  readonly #thresholdBytes: number
  readonly #maxBytes: number
  readonly #letter: string

  constructor({
    codec = jsonCodec,
    threshold = '1kb',
    algorithm = 'deflate',
    maxSize = '64mb',
  }: CompressedCodecOptions) {
    this.#codec = codec
    this.#thresholdBytes = sizeBytes(threshold, 'threshold')
    this.#maxBytes = sizeBytes(maxSize, 'maxSize')
    const letter = Object.keys(ALGORITHMS).find((letter) => ALGORITHMS[letter]!.name === algorithm)
    if (letter === undefined) throw new OptionError('algorithm', algorithm, "give 'deflate' or 'brotli'")
    this.#letter = letter
  }

  encode(value: unknown): string {
    const packed = this.pack(value)
    return typeof packed === 'string' ? packed : MARK + this.#letter + packed.toString('base64', 1)
  }

  decode(text: string): unknown {
    if (!text.startsWith(FAMILY)) return this.#codec.decode(text)
    if (text.startsWith(PLAIN)) return this.#codec.decode(text.slice(PLAIN.length))
    if (!text.startsWith(MARK)) throw new ValueError(undefined, 'compressed in a later format than this version reads')
    return this.#inflate(text[MARK.length]!, Buffer.from(text.slice(MARK.length + 1), 'base64'))
  }

  /** The text of a value, or its compressed bytes where these are worth it. */
  pack(value: unknown): Packed {
    const text = this.#codec.encode(value)
    const plain = text.startsWith(FAMILY) ? PLAIN + text : text
    // A char is 3 bytes of UTF-8 at most.
    if (text.length * 3 < this.#thresholdBytes) return plain
    const bytes = Buffer.from(text)
    if (bytes.length < this.#thresholdBytes || bytes.length > this.#maxBytes) return plain
    const compressed = ALGORITHMS[this.#letter]!.compress(bytes)
    // As base64, which is a third longer.
    if (MARK.length + 1 + (compressed.length * 4) / 3 >= bytes.length) return plain
    return Buffer.concat([Buffer.from(this.#letter), compressed])
  }

  /** The value of what `pack` made. */
  unpack(packed: Packed): unknown {
    if (typeof packed === 'string') return this.decode(packed)
    return this.#inflate(packed.toString('latin1', 0, 1), packed.subarray(1))
  }

  #inflate(letter: string, compressed: Buffer): unknown {
    const algorithm = ALGORITHMS[letter]
    if (algorithm === undefined) throw new ValueError(undefined, 'compressed by an algorithm that this version lacks')
    return this.#codec.decode(expand(() => algorithm.expand(compressed, { maxOutputLength: this.#maxBytes })))
  }
}

function expand(run: () => Buffer): string {
  try {
    return run().toString()
  } catch (cause) {
    const tooLarge = (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    const reason = tooLarge ? 'it would be larger than maxSize' : 'it is damaged'
    throw new ValueError(undefined, `the value cannot be decompressed: ${reason}`, { cause })
  }
}

/** What all formats of this codec begin with. */
const FAMILY = '!z'
/** Format 0: the text of the inner codec follows as it is, because it begins like one of ours. */
const PLAIN = '!z0'
/** Format 1: a letter, and base64. */
const MARK = '!z1'

interface Algorithm {
  readonly name: 'deflate' | 'brotli'
  readonly compress: (bytes: Buffer) => Buffer
  readonly expand: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  d: { name: 'deflate', compress: (bytes) => deflateSync(bytes), expand: inflateSync },
  b: {
    name: 'brotli',
    compress: (bytes) => brotliCompressSync(bytes, { params: brotliParams(bytes.length) }),
    expand: brotliDecompressSync,
  },
}

function brotliParams(bytes: number): Record<number, number> {
  return { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes }
}
