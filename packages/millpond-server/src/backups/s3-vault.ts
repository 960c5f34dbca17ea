/** Backups in a bucket of S3, or of what speaks its protocol. */
import { createHash } from 'node:crypto'
import type { AwsClient } from 'aws4fetch'
import { BackupError } from './backup-error.ts'
import { innerTexts, unescaped } from './s3-xml.ts'
import type { Vault } from './vault.ts'

export interface S3Place {
  readonly bucket: string
  /** What stands before the names, with '/' at its end, or ''. */
  readonly prefix: string
  /** Where to ask, such as 'https://s3.eu-central-1.amazonaws.com'. */
  readonly endpoint: string
  /** Whether the bucket stands in the path, not in the name of the host. */
  readonly pathStyle: boolean
}

/** Parts must have at least 5 MiB, except the last; a file has at most 10,000. */
const PART_BYTES = 8 * 2 ** 20
const PARTS_MAX = 10_000
/** How long a request may take, and of a file that is read each piece. */
const ATTEMPT_MS = 60_000

/**
 * Requests are signed by aws4fetch, which is some hundred lines without dependencies; the SDK of AWS would be forty times as much for
 * the seven requests that are needed. Each carries the SHA-256 of its body, which the storage compares: a part that was
 * torn on its way is refused. A file shows itself when all its parts are there.
 */
export class S3Vault implements Vault {
  readonly url: string
  readonly #place: S3Place
  readonly #client: AwsClient

  constructor(place: S3Place, client: AwsClient) {
    this.url = `s3://${place.bucket}/${place.prefix}`
    this.#place = place
    this.#client = client
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    let upload: string | undefined
    const tags: string[] = []
    let last: Uint8Array | undefined
    try {
      for await (const part of partsOf(pieces)) {
        if (last) {
          upload ??= await this.#begin(name)
          tags.push(await this.#sendPart(name, upload, tags.length + 1, last))
        }
        last = part
      }
      if (upload === undefined) await this.#ask('PUT', name, {}, last ?? NOTHING)
      else {
        tags.push(await this.#sendPart(name, upload, tags.length + 1, last!))
        await this.#complete(name, upload, tags)
      }
    } catch (error) {
      if (upload !== undefined) await this.#ask('DELETE', name, { uploadId: upload }).catch(() => {})
      throw error
    }
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const silence = new Silence()
    const { body } = await silence.during(this.#ask('GET', name, {}, NOTHING, silence.signal))
    if (body === null) return
    const pieces = body.values()
    try {
      for (;;) {
        const { done, value } = await silence.during(pieces.next())
        if (done) return
        yield value
      }
    } catch (error) {
      throw this.#failure(name, (error as Error).message, error)
    } finally {
      await pieces.return?.()
    }
  }

  async list(): Promise<string[]> {
    const { prefix } = this.#place
    const names: string[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const query = { 'list-type': '2', prefix, ...(token !== '' && { 'continuation-token': token }) }
      const text = await (await this.#ask('GET', undefined, query)).text()
      for (const key of innerTexts(text, 'Key')) names.push(unescaped(key).slice(prefix.length))
      const [next] = innerTexts(text, 'NextContinuationToken')
      token = next === undefined ? undefined : unescaped(next)
    }
    return names
  }

  async remove(name: string): Promise<void> {
    await this.#ask('DELETE', name)
  }

  async #begin(name: string): Promise<string> {
    const text = await (await this.#ask('POST', name, { uploads: '' })).text()
    const [upload] = innerTexts(text, 'UploadId')
    if (upload === undefined) throw this.#failure(name, 'the storage has not begun an upload in parts')
    return unescaped(upload)
  }

  async #sendPart(name: string, uploadId: string, number: number, part: Uint8Array): Promise<string> {
    if (number > PARTS_MAX) throw this.#failure(name, `it has more than ${PARTS_MAX} parts`)
    const { headers } = await this.#ask('PUT', name, { partNumber: String(number), uploadId }, part)
    return headers.get('etag') ?? ''
  }

  /** The answer may be an error although its status is 200. */
  async #complete(name: string, uploadId: string, tags: readonly string[]): Promise<void> {
    const parts = tags.map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
    const text = await (await this.#ask('POST', name, { uploadId }, body)).text()
    if (innerTexts(text, 'Code').length > 0) throw this.#failure(name, reasonOf(text, 200))
  }

  async #ask(
    method: string,
    name?: string,
    query: Readonly<Record<string, string>> = {},
    body: Uint8Array = NOTHING,
    signal: AbortSignal = AbortSignal.timeout(ATTEMPT_MS),
  ): Promise<Response> {
    const url = this.#urlOf(name)
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    const sum = createHash('sha256').update(body).digest('hex')
    const response = await this.#client
      .fetch(url, {
        method,
        headers: { 'x-amz-content-sha256': sum },
        signal,
        ...(method !== 'GET' && method !== 'DELETE' && { body }),
      })
      .catch((error: Error) => {
        throw this.#failure(
          name,
          `the storage does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`,
          error,
        )
      })
    if (response.ok) return response
    const text = await response.text().catch(() => '')
    if (response.status === 404 && method === 'GET' && name !== undefined) {
      throw new BackupError('missing', this.url + name, 'there is no such file')
    }
    throw this.#failure(name, reasonOf(text, response.status))
  }

  #urlOf(name: string | undefined): URL {
    const { bucket, prefix, endpoint, pathStyle } = this.#place
    const url = new URL(endpoint)
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
    const key = name === undefined ? '' : (prefix + name).split('/').map(encodeURIComponent).join('/')
    url.pathname = pathStyle ? `/${bucket}/${key}` : `/${key}`
    return url
  }

  #failure(name: string | undefined, reason: string, cause?: unknown): BackupError {
    return new BackupError('storage', this.url + (name ?? ''), reason, cause)
  }
}

const NOTHING = new Uint8Array(0)

/** Ends a request of which nothing has come for too long. What is done with what has come may take its time. */
class Silence {
  readonly #controller = new AbortController()

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async during<Result>(work: Promise<Result>): Promise<Result> {
    const end = (): void => this.#controller.abort(new Error(`nothing has come for ${ATTEMPT_MS / 1000} s`))
    const timer = setTimeout(end, ATTEMPT_MS)
    try {
      return await work
    } finally {
      clearTimeout(timer)
    }
  }
}

function reasonOf(text: string, status: number): string {
  const [code] = innerTexts(text, 'Code')
  const [message] = innerTexts(text, 'Message')
  return `the storage answers ${status}${code === undefined ? '' : ` ${code}`}${message === undefined ? '' : `: ${unescaped(message)}`}`
}

/** The same bytes in parts of one size; the last may be shorter. */
async function* partsOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    gathered.push(piece)
    bytes += piece.length
    if (bytes < PART_BYTES) continue
    yield Buffer.concat(gathered)
    gathered = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(gathered)
}
