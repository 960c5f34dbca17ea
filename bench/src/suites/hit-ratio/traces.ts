/** Public cache traces with the hit rates of other policies: read from a folder beside the checkout, never copied. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

export interface Trace {
  readonly name: string
  readonly requests: number
  readonly kind: string
  readonly file: string
  readonly encoding: 'u32' | 'd32'
  readonly sizesFile?: string
}

/** Hit rates in percent that others reach on a trace with so many entries. */
export interface Anchor {
  readonly trace: string
  readonly size: number
  readonly hitRatePercent: Readonly<Record<string, number>>
}

/** Recorded for their loops and mixes of loops, or from a processor's address bus: nothing that a cache service sees. */
const SYNTHETIC = new Set(['loop', 'gli', 'multi1', 'multi2', 'multi3', '2_pools', 'addr-gcc', 'addr-gzip'])

/** Traces of databases, block storage, web servers, recommendations, files. */
export const isService = ({ name }: Trace): boolean => !SYNTHETIC.has(name)

export class TraceFolder {
  readonly folder: string
  readonly traces: readonly Trace[]
  readonly anchors: readonly Anchor[]

  /** `MILLPOND_TRACES`, else `../shared/traces` beside the checkout. */
  constructor(
    folder: string = process.env.MILLPOND_TRACES ??
      fileURLToPath(new URL('../../../../../shared/traces', import.meta.url)),
  ) {
    this.folder = resolve(folder)
    this.traces = this.#json('traces.json') as Trace[]
    this.anchors = this.#json('anchors.json') as Anchor[]
  }

  /** One id a request. */
  requests(trace: Trace): Uint32Array {
    const ids = this.#words(trace.file)
    if (trace.encoding === 'd32') for (let at = 1; at < ids.length; at++) ids[at]! += ids[at - 1]!
    return ids
  }

  /** Bytes of the object of each request. */
  sizes(trace: Trace): Uint32Array {
    return this.#words(trace.sizesFile!)
  }

  #words(file: string): Uint32Array {
    const bytes = gunzipSync(readFileSync(join(this.folder, file)))
    return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  #json(file: string): unknown {
    try {
      return JSON.parse(readFileSync(join(this.folder, file), 'utf8'))
    } catch (cause) {
      throw new Error(
        `no traces in ${this.folder}: set MILLPOND_TRACES to the folder with traces.json and anchors.json. The traces are public ` +
          '(github.com/moka-rs/cache-trace, the ARC traces; github.com/ben-manes/caffeine, simulator/src/main/resources) and are ' +
          'not part of this repository; the README of that folder gives origin, licence and format of each.',
        { cause },
      )
    }
  }
}
