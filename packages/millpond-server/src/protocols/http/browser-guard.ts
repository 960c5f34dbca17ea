/** Keeps pages of the web away from a server that asks for no token. */
import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'

/**
 * A page in a browser may send requests to 127.0.0.1, and by a name of its own that leads there (DNS rebinding) even read
 * the answers. So a request without a secret is refused that comes from another site, and one that calls the server by a
 * name of the public web. Who has a token, a page has not stolen it from: those requests are not looked at.
 *
 * @throws Problem
 */
export function refuseBrowsers({ headers }: IncomingMessage): void {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  if (origin !== undefined || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw new Problem('FORBIDDEN', 'requests of web pages need a token')
  }
  if (!isLocalName(host)) {
    throw new Problem(
      'FORBIDDEN',
      `without a token the server answers to addresses and local names, not to '${host.slice(0, 64)}'`,
    )
  }
}

/** The last name that was found to be local: connections ask by the same one again. */
let lastLocal = ''

/** An address, `localhost`, or a name without a dot: none that somebody on the web can own. */
function isLocalName(host: string): boolean {
  if (host === lastLocal) return true
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':', 1)[0]!
  const isLocal = !name.includes('.') || /^\d+(?:\.\d+){3}$/.test(name) || name.endsWith('.localhost')
  if (isLocal) lastLocal = host
  return isLocal
}
