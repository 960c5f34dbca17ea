/** A live Redis, or what speaks its protocol, as a source: SCAN, and DUMP of what it finds. */
import type tls from 'node:tls'
import { EncodingLimits } from '../../engine/encoding-limits.ts'
import { ReplyError } from '../../engine/errors.ts'
import { restorePayload } from '../../engine/rdb/payload.ts'
import type { RdbKey } from '../../engine/rdb/rdb-reader.ts'
import { BackupError } from '../backup-error.ts'
import { shownUrl } from '../shown-url.ts'
import type { Batch, Source } from './import.ts'
import { SourceSocket } from './source-socket.ts'

type Answer = string | number | Buffer | null | Error | readonly Answer[]

const KEYS_A_BATCH = 256
const NESTED_MAX = 8
const WORDS_MAX = 1024 * 1024

export class RedisSource implements Source {
  readonly #socket: SourceSocket
  readonly #limits: EncodingLimits
  /** The only database that is asked for; `undefined`: all. */
  readonly #database: number | undefined

  private constructor(socket: SourceSocket, limits: EncodingLimits, database: number | undefined) {
    this.#socket = socket
    this.#limits = limits
    this.#database = database
  }

  /**
   * Connects to `redis://user:password@host:6379/0`; rediss:// with TLS. Without the number of a database: all of them.
   *
   * @param limits of the cache that the values are for
   * @throws BackupError refused, source
   */
  static async open(
    text: string,
    limits: EncodingLimits = new EncodingLimits(),
    secure: tls.ConnectionOptions = {},
  ): Promise<RedisSource> {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !/^(redis|valkey)s?:$/.test(url.protocol) || url.hostname === '') {
      throw new BackupError('refused', shownUrl(text), 'write redis://user:password@host:6379/0')
    }
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = Number(url.port || 6379)
    const isSecure = url.protocol === 'rediss:' || url.protocol === 'valkeys:'
    const socket = await SourceSocket.open({ host, port, tls: isSecure ? secure : undefined })
    const database = /^\/(\d+)$/.exec(url.pathname)?.[1]
    const source = new RedisSource(socket, limits, database === undefined ? undefined : Number(database))
    try {
      await source.#login(decodeURIComponent(url.username), decodeURIComponent(url.password))
    } catch (error) {
      source.close()
      throw error
    }
    return source
  }

  async count(): Promise<number> {
    const sizes = await this.#databases()
    return sizes.reduce((sum, { keys }) => sum + keys, 0)
  }

  /** A position is the number of a database and a cursor of SCAN. */
  async *batches(from: string | undefined): AsyncIterable<Batch> {
    const [firstDb = 0, firstCursor = '0'] = from === undefined ? [] : positionOf(from)
    for (const { index } of await this.#databases()) {
      if (index < firstDb) continue
      await this.#ask(['SELECT', String(index)])
      let cursor = index === firstDb ? firstCursor : '0'
      do {
        const answer = (await this.#ask(['SCAN', cursor, 'COUNT', String(KEYS_A_BATCH)])) as readonly [Buffer, Buffer[]]
        cursor = answer[0].toString()
        const batch = await this.#fetch(index, answer[1])
        yield { ...batch, position: cursor === '0' ? `${index + 1}:0` : `${index}:${cursor}` }
      } while (cursor !== '0')
    }
  }

  close(): void {
    this.#socket.close()
  }

  async #login(user: string, password: string): Promise<void> {
    if (password !== '') await this.#ask(user === '' ? ['AUTH', password] : ['AUTH', user, password])
    else await this.#ask(['PING'])
  }

  async #databases(): Promise<{ readonly index: number; readonly keys: number }[]> {
    const info = ((await this.#ask(['INFO', 'keyspace'])) as Buffer).toString()
    return [...info.matchAll(/^db(\d+):keys=(\d+)/gm)]
      .map(([, index, keys]) => ({ index: Number(index), keys: Number(keys) }))
      .filter(({ index }) => this.#database === undefined || index === this.#database)
  }

  async #fetch(db: number, names: readonly Buffer[]): Promise<Omit<Batch, 'position'>> {
    const answers = await this.#askAll(
      names.flatMap((name) => [
        ['DUMP', name],
        ['PTTL', name],
      ]),
    )
    const nowMs = Date.now()
    const keys: RdbKey[] = []
    const refused: { key: string; reason: string }[] = []
    for (const [at, key] of names.entries()) {
      const payload = answers[at * 2]
      const leftMs = answers[at * 2 + 1]
      // It has left since it was found.
      if (payload === null || leftMs === -2) continue
      try {
        if (payload instanceof Error) throw new ReplyError(payload.message)
        const value = restorePayload(payload as Buffer, this.#limits)
        const expiresAtMs = typeof leftMs === 'number' && leftMs >= 0 ? nowMs + leftMs : Number.POSITIVE_INFINITY
        keys.push({ db, key, value, expiresAtMs, idleMs: undefined, frequency: undefined, clientFlags: 0 })
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        refused.push({ key: key.toString(), reason: error.message })
      }
    }
    return { keys, refused }
  }

  async #ask(command: readonly (string | Buffer)[]): Promise<Answer> {
    const [answer] = await this.#askAll([command])
    if (answer instanceof Error) throw this.#socket.failure(answer.message)
    return answer!
  }

  async #askAll(commands: readonly (readonly (string | Buffer)[])[]): Promise<Answer[]> {
    this.#socket.write(Buffer.concat(commands.map(encoded)))
    const answers: Answer[] = []
    for (let left = commands.length; left > 0; left--) answers.push(await this.#answer(0))
    return answers
  }

  async #answer(depth: number): Promise<Answer> {
    const line = await this.#socket.line()
    const rest = line.slice(1)
    switch (line[0]) {
      case '+':
        return rest
      case '-':
        return new Error(rest)
      case ':':
        return Number(rest)
      case '$':
        return rest === '-1' ? null : this.#bulk(Number(rest))
      case '*':
        return rest === '-1' ? null : this.#list(Number(rest), depth)
      default:
        throw this.#socket.failure('it does not speak the protocol of Redis')
    }
  }

  async #bulk(length: number): Promise<Buffer> {
    if (!(length >= 0 && length <= 2 ** 30)) throw this.#socket.failure('an answer of it is too long')
    const bytes = await this.#socket.bytes(length + 2)
    return bytes.subarray(0, length)
  }

  async #list(length: number, depth: number): Promise<Answer[]> {
    if (!(length >= 0 && length <= WORDS_MAX) || depth === NESTED_MAX) {
      throw this.#socket.failure('an answer of it is too long')
    }
    const parts: Answer[] = []
    for (let left = length; left > 0; left--) parts.push(await this.#answer(depth + 1))
    return parts
  }
}

function encoded(words: readonly (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF]
  })
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

const CRLF = Buffer.from('\r\n')

function positionOf(text: string): [db: number, cursor: string] {
  const [, db, cursor] = /^(\d{1,9}):(\d{1,20})$/.exec(text) ?? []
  if (db === undefined) throw new BackupError('refused', text, 'this is no position of an import from Redis')
  return [Number(db), cursor!]
}
