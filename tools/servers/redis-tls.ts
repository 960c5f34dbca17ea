/** Redis and Valkey servers that speak TLS and want to see a client's certificate, on loopback. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Certificate, createAuthority } from './certificates.ts'
import { guardedFolder } from './guard.ts'
import { type RedisOptions, type RedisServer, type RedisTls, startRedis } from './redis.ts'

/** What a client connects with. */
export interface ClientTls extends Certificate {
  readonly ca: string
}

/** A server that speaks TLS only. */
export interface TlsRedis extends RedisServer {
  /** A client's certificate and the authority's, as `tls.connect` and the clients take them. */
  readonly client: ClientTls
}

/** Options of `startTlsRedis`. */
export interface TlsOptions extends Omit<RedisOptions, 'tls'> {
  /** Whether a client has to show a certificate (tls-auth-clients). Default true. */
  readonly authClients?: boolean
}

/** Starts a server with a certificate of its own for 127.0.0.1 and localhost. */
export async function startTlsRedis({ authClients = true, ...options }: TlsOptions = {}): Promise<TlsRedis> {
  const { tls, client } = certificatesFor(authClients)
  const server = await startRedis({ ...options, tls })
  return Object.assign(server, { client })
}

/** Certificates of a server of its own authority: what the server is started with, and what a client connects with. */
export function certificatesFor(authClients = true): { readonly tls: RedisTls; readonly client: ClientTls } {
  const authority = createAuthority()
  const server = authority.issue('server')
  const client = { ...authority.issue('client'), ca: authority.cert }
  const dir = guardedFolder('tls')
  const file = (name: string, text: string) => {
    writeFileSync(path.join(dir, name), text, { mode: 0o600 })
    return path.join(dir, name)
  }
  const files = [
    ...['--tls-ca-cert-file', file('ca.crt', authority.cert)],
    ...['--tls-cert-file', file('server.crt', server.cert), '--tls-key-file', file('server.key', server.key)],
  ]
  return { tls: { args: [...files, '--tls-auth-clients', authClients ? 'yes' : 'no'], client }, client }
}
