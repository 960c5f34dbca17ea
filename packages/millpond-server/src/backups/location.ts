/** Where a backup is, as one writes it: a path, or `s3://bucket/folder/name.rdb`. */
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AwsClient } from 'aws4fetch'
import { BackupError } from './backup-error.ts'
import { FolderVault } from './folder-vault.ts'
import { S3Vault } from './s3-vault.ts'
import { shownUrl } from './shown-url.ts'
import type { Vault } from './vault.ts'

export interface Location {
  readonly vault: Vault
  /** `undefined`: a folder is meant. */
  readonly name: string | undefined
}

/** What is asked of the environment, by the names that other programs for S3 use. */
export type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_REGION = 'us-east-1'

/**
 * What ends with '.rdb' is a file, everything else a folder.
 *
 * S3: `s3://bucket/folder?region=eu-central-1&endpoint=https://storage.example`; keys are AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN) of the environment, where AWS_REGION and AWS_ENDPOINT_URL may stand too.
 *
 * @throws BackupError refused, when it is no such place
 */
export function locate(text: string, environment: Environment = process.env): Location {
  if (text.startsWith('s3://')) return inBucket(text, environment)
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text) && !text.startsWith('file://')) {
    throw new BackupError('refused', shownUrl(text), 'give a path, or s3://bucket/folder')
  }
  const path = resolve(text.startsWith('file://') ? fileURLToPath(text) : text)
  return path.endsWith('.rdb')
    ? { vault: new FolderVault(dirname(path)), name: basename(path) }
    : { vault: new FolderVault(path), name: undefined }
}

function inBucket(text: string, environment: Environment): Location {
  const url = new URL(text)
  const refuse = (reason: string): BackupError => new BackupError('refused', `s3://${url.host}${url.pathname}`, reason)
  if (url.host === '') throw refuse('name a bucket: s3://bucket/folder')
  if (url.username !== '' || url.password !== '') throw refuse('keys stand in the environment, not in the URL')
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
  const { AWS_SESSION_TOKEN: sessionToken } = environment
  if (!accessKeyId || !secretAccessKey) {
    throw refuse('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the server')
  }
  const region =
    url.searchParams.get('region') ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? DEFAULT_REGION
  const given = url.searchParams.get('endpoint') ?? environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL
  const endpoint = given ?? `https://s3.${region}.amazonaws.com`
  if (!URL.canParse(endpoint)) throw refuse(`the endpoint '${endpoint}' is no URL`)
  const path = decodeURIComponent(url.pathname).slice(1)
  const isFile = path.endsWith('.rdb')
  const folder = isFile
    ? path.slice(0, path.lastIndexOf('/') + 1)
    : path === '' || path.endsWith('/')
      ? path
      : `${path}/`
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    service: 's3',
    region,
    retries: 3,
  })
  const place = { bucket: url.host, prefix: folder, endpoint, pathStyle: given !== undefined }
  return { vault: new S3Vault(place, client), name: isFile ? path.slice(folder.length) : undefined }
}
