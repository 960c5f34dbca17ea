/**
 * Free ports for servers of tests, below the range from which systems take the ports of outgoing connections (32768 and
 * up on Linux, 49152 elsewhere). So a server that is down keeps its port: no client's connection takes it meanwhile, nor
 * does a client that tries again and again end up connected to itself.
 */
import { randomInt } from 'node:crypto'
import net from 'node:net'

const LOWEST = 10_000
const HIGHEST = 22_000
const TRIES = 200

/** A free port of this moment, as are those that lie `more` above it. Another process may take it before it is used. */
export async function servicePort(more: readonly number[] = []): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST)
    const free = await Promise.all([0, ...more].map((distance) => isPortFree(port + distance)))
    if (!free.includes(false)) return port
  }
  throw new Error(`no port from ${LOWEST} to ${HIGHEST} is free; ${TRIES} were tried`)
}

/** Whether nothing listens on this port of 127.0.0.1. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
