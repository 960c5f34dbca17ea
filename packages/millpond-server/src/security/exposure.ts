/** Whether a server may listen where it is told to: beyond this machine only with TLS and with clients that say who they are. */

/** Where a server is to listen, and what protects it there. */
export interface Exposure {
  /** Addresses, as `bind` of redis.conf has them: '-' before one, or '*' for all. */
  readonly addresses: readonly string[]
  /** Ports without TLS that are to be open: RESP, memcached, HTTP; 0 is none. */
  readonly plainPorts: readonly number[]
  /** Ports with TLS. */
  readonly tlsPorts: readonly number[]
  /** Whether clients must say who they are. */
  readonly mustAuthenticate: boolean
  /** `--without-tls`: it is meant. */
  readonly withoutTls: boolean
  /** `--without-tokens`: it is meant. */
  readonly withoutTokens: boolean
}

/** What stands in the way of listening so, each with what to do; none: it is well. */
export function exposureFaults(exposure: Exposure): readonly string[] {
  const open = exposure.addresses.filter((address) => !isLoopback(address))
  const plain = exposure.plainPorts.filter((port) => port !== 0)
  const encrypted = exposure.tlsPorts.filter((port) => port !== 0)
  if (open.length === 0 || plain.length + encrypted.length === 0) return []
  const faults: string[] = []
  if (plain.length > 0 && !exposure.withoutTls) {
    faults.push(
      `port ${plain.join(', ')} on ${open.join(', ')} is without TLS, so anyone on the way can read tokens and values. ` +
        'Give a certificate (--tls-cert, --tls-key) and use the TLS ports, listen on 127.0.0.1 alone, or say --without-tls if the way is safe.',
    )
  }
  if (!exposure.mustAuthenticate && !exposure.withoutTokens) {
    faults.push(
      `on ${open.join(', ')} anyone may read and change everything. ` +
        'Demand tokens (--tokens) or a password (--requirepass), listen on 127.0.0.1 alone, or say --without-tokens if everybody there is trusted.',
    )
  }
  return faults
}

/** Whether an address reaches no further than this machine. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/^-/, '').replace(/^\[(.*)\]$/, '$1')
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host)
}
