/** The certificate, key and authorities of a server's TLS, read anew when the files change. */
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureVersion, type TlsOptions } from 'node:tls'
import type { Configuration } from '../commands/configuration/configuration.ts'
import { ReplyError } from '../engine/errors.ts'

/** Whatever is told of new files: servers of node:tls and node:https. */
interface FollowsFiles {
  setSecureContext(options: TlsOptions): void
}

const LOOK_EVERY_MS = 1000
const PARAMETERS = [
  'tls-cert-file',
  'tls-key-file',
  'tls-key-file-pass',
  'tls-ca-cert-file',
  'tls-auth-clients',
  'tls-protocols',
  'tls-ciphers',
  'tls-ciphersuites',
]

/**
 * The parameters are redis.conf's. Files that change are noticed within a second, and used for connections from then on;
 * what cannot be read or is no pair leaves the present one as it is, and is reported.
 */
export class TlsFiles {
  /** Is told of files that cannot be used, while the present ones go on. */
  onFault: (error: Error) => void = (error) => void process.stderr.write(`tls: ${error.message}\n`)
  readonly #configuration: Configuration
  readonly #servers = new Set<FollowsFiles>()
  #options: TlsOptions
  #seen: string
  #timer: NodeJS.Timeout | undefined

  /** @throws ReplyError what is missing or cannot be used */
  constructor(configuration: Configuration) {
    this.#configuration = configuration
    this.#seen = this.#times()
    this.#options = this.#read()
    let started = false
    for (const name of PARAMETERS) configuration.follow(name, () => started && this.reload())
    started = true
  }

  get options(): TlsOptions {
    return this.#options
  }

  /** Tells a server of new files from now on. */
  follow(server: FollowsFiles): void {
    this.#servers.add(server)
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  /** Reads the files again. @throws ReplyError what cannot be used; the present ones go on */
  reload(): void {
    this.#seen = this.#times()
    this.#options = this.#read()
    for (const server of this.#servers) server.setSecureContext(this.#options)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    if (this.#times() === this.#seen) return
    try {
      this.reload()
    } catch (error) {
      this.onFault(error as Error)
    }
  }

  #file(name: string): Buffer | undefined {
    const path = this.#configuration.text(name)
    if (path === '') return undefined
    try {
      return readFileSync(path)
    } catch (error) {
      throw new ReplyError(`${name} '${path}' cannot be read: ${(error as Error).message}`)
    }
  }

  #read(): TlsOptions {
    const configuration = this.#configuration
    const cert = this.#file('tls-cert-file')
    const key = this.#file('tls-key-file')
    const ca = this.#file('tls-ca-cert-file')
    const clients = configuration.text('tls-auth-clients')
    if (!cert || !key) throw new ReplyError('TLS needs tls-cert-file and tls-key-file')
    if (clients === 'yes' && !ca) throw new ReplyError('tls-auth-clients needs tls-ca-cert-file, or say no')
    const options: TlsOptions = {
      cert,
      key,
      passphrase: configuration.text('tls-key-file-pass') || undefined,
      ca,
      requestCert: clients !== 'no' && ca !== undefined,
      rejectUnauthorized: clients === 'yes',
      ciphers: [configuration.text('tls-ciphersuites'), configuration.text('tls-ciphers')].filter(Boolean).join(':'),
      ...versions(configuration.text('tls-protocols')),
    }
    if (options.ciphers === '') delete options.ciphers
    try {
      createSecureContext(options)
    } catch (error) {
      throw new ReplyError(`the TLS certificate and key cannot be used: ${(error as Error).message}`)
    }
    return options
  }

  /** When each file was written: another text when one was replaced. */
  #times(): string {
    const files = ['tls-cert-file', 'tls-key-file', 'tls-ca-cert-file']
    return files
      .map((name) => {
        const path = this.#configuration.text(name)
        const facts = path === '' ? undefined : statSync(path, { throwIfNoEntry: false })
        return facts ? `${facts.mtimeMs} ${facts.ino} ${facts.size}` : ''
      })
      .join()
  }
}

/** 'TLSv1.2 TLSv1.3', as redis.conf has it. '': both. */
function versions(text: string): { minVersion: SecureVersion; maxVersion: SecureVersion } {
  const given = text.split(' ').filter(Boolean)
  const has13 = given.length === 0 || given.includes('TLSv1.3')
  const has12 = given.length === 0 || given.includes('TLSv1.2')
  return { minVersion: has12 ? 'TLSv1.2' : 'TLSv1.3', maxVersion: has13 ? 'TLSv1.3' : 'TLSv1.2' }
}
