/** A live memcached as a source: it tells its keys by `lru_crawler metadump`, and what they hold by `mg`. */
import type tls from 'node:tls'
import type { RdbKey } from '../../engine/rdb/rdb-reader.ts'
import { BackupError } from '../backup-error.ts'
import { shownUrl } from '../shown-url.ts'
import type { Batch, Source } from './import.ts'
import { type SourceAddress, SourceSocket } from './source-socket.ts'

const KEYS_A_BATCH = 128
/** Other keys are asked for in base64. */
const PLAIN = /^[\x21-\x7e]{1,250}$/

export class MemcachedSource implements Source {
  readonly #address: SourceAddress
  readonly #socket: SourceSocket
  /** A connection of its own for the keys, which come while values are asked for. */
  #keys: SourceSocket | undefined

  private constructor(address: SourceAddress, socket: SourceSocket) {
    this.#address = address
    this.#socket = socket
  }

  /** Connects to `memcached://host:11211`; memcacheds:// with TLS. @throws BackupError refused, source */
  static async open(text: string, secure: tls.ConnectionOptions = {}): Promise<MemcachedSource> {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !/^memcacheds?:$/.test(url.protocol) || url.hostname === '') {
      throw new BackupError('refused', shownUrl(text), 'write memcached://host:11211')
    }
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const address = {
      host,
      port: Number(url.port || 11211),
      tls: url.protocol === 'memcacheds:' ? secure : undefined,
    }
    return new MemcachedSource(address, await SourceSocket.open(address))
  }

  async count(): Promise<number> {
    this.#socket.write('stats\r\n')
    let count = 0
    for (let line = await this.#socket.line(); line !== 'END'; line = await this.#socket.line()) {
      if (!line.startsWith('STAT ')) throw this.#socket.failure(`it answers: ${line.slice(0, 100)}`)
      count = Number(/^STAT curr_items (\d+)$/.exec(line)?.[1] ?? count)
    }
    return count
  }

  /** memcached can not go on in the middle: there is no position. */
  async *batches(from: string | undefined): AsyncIterable<Batch> {
    if (from !== undefined) throw new BackupError('refused', from, 'an import from memcached has to begin anew')
    let names: Buffer[] = []
    for await (const name of this.#names()) {
      names.push(name)
      if (names.length < KEYS_A_BATCH) continue
      yield { keys: await this.#fetch(names), refused: [], position: undefined }
      names = []
    }
    yield { keys: await this.#fetch(names), refused: [], position: undefined }
  }

  close(): void {
    this.#socket.close()
    this.#keys?.close()
  }

  async *#names(): AsyncGenerator<Buffer> {
    const socket = await SourceSocket.open(this.#address)
    this.#keys = socket
    socket.write('lru_crawler metadump all\r\n')
    for (let line = await socket.line(); line !== 'END'; line = await socket.line()) {
      const key = /^key=(\S+) /.exec(line)?.[1]
      if (key === undefined) throw socket.failure(`it does not tell its keys: ${line.slice(0, 100)}`)
      yield percentDecoded(key)
    }
  }

  async #fetch(names: readonly Buffer[]): Promise<RdbKey[]> {
    this.#socket.write(names.map(request).join(''))
    const keys: RdbKey[] = []
    for (const key of names) {
      const line = await this.#socket.line()
      // It has left since it was told.
      if (line === 'EN') continue
      const [, length, flags, seconds] = /^VA (\d{1,10}) f(\d{1,10}) t(-?\d{1,10})/.exec(line) ?? []
      if (length === undefined) throw this.#socket.failure(`it answers: ${line.slice(0, 100)}`)
      const value = (await this.#socket.bytes(Number(length) + 2)).subarray(0, Number(length))
      const expiresAtMs = seconds === '-1' ? Number.POSITIVE_INFINITY : Date.now() + Number(seconds) * 1000
      keys.push({ db: 0, key, value, expiresAtMs, idleMs: undefined, frequency: undefined, clientFlags: Number(flags) })
    }
    return keys
  }
}

function request(key: Buffer): string {
  const text = key.toString('latin1')
  return PLAIN.test(text) ? `mg ${text} f t v\r\n` : `mg ${key.toString('base64')} f t v b\r\n`
}

/** Of any bytes: what decodeURIComponent would refuse too. */
function percentDecoded(text: string): Buffer {
  const plain = text.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}
